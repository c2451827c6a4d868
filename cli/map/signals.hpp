// What signals do to forkful map, and what its jobs inherit of that.
//
// Signals that end or stop a program are blocked in all threads and read from a descriptor by the main thread; there are no handlers,
// so a process that is on its way to exec with our memory cannot run one. What was ignored when forkful was started stays so.
#pragma once

#include <signal.h>

#include "os/command.hpp"
#include "os/fd.hpp"

namespace mapping {

class signals {
 public:
  /// To be made before other threads. Throws refusal.
  signals();
  signals(const signals&) = delete;
  signals& operator=(const signals&) = delete;
  /// Puts mask and dispositions back.
  ~signals();

  /// Readable when there is one.
  [[nodiscard]] int descriptor() const noexcept { return incoming_.number(); }
  /// The next one; 0: none.
  int next();
  /// As the process had them: for jobs.
  void put_into(forkful::detail::command_setting& setting) const;
  [[nodiscard]] bool pipe_ignored() const noexcept { return pipe_ignored_; }
  /// Stops this process as Ctrl-Z does; returns when it is continued.
  void stop_here();
  /// Dies of it.
  [[noreturn]] void die_of(int signal);

 private:
  sigset_t before_{};
  bool child_ignored_ = false;
  bool pipe_ignored_ = false;
  forkful::detail::fd incoming_;
};

}  // namespace mapping
