// A child process of this one, watched until its status is taken: by a pidfd, or by its number where the system has none.
//
// Some systems refuse pidfd_open for good: valgrind before 3.20, seccomp filters, old containers. There a child is asked after
// with waitid. Its number stays its own until its status was taken; should somebody else take it (a wait() of the user's, SIGCHLD
// ignored), waitid knows no such child any more, and that says as surely that it has ended. Owns the descriptor, not the process.
#pragma once

#include <sys/types.h>

#include <optional>

#include "os/fd.hpp"
#include "os/process.hpp"

namespace forkful::detail {

class process_handle {
 public:
  process_handle() noexcept = default;
  // Invalid, with errno set, where there is no descriptor or no memory for it.
  static process_handle watch(pid_t child) noexcept;

  [[nodiscard]] bool valid() const noexcept { return child_ > 0; }
  [[nodiscard]] pid_t number() const noexcept { return child_; }
  // Readable when the process has ended; invalid where it is watched by its number.
  [[nodiscard]] const fd& pidfd() const noexcept { return pidfd_; }

  // Whether a child that is watched by its number has ended.
  static bool has_ended(pid_t child) noexcept;
  // Waits at most `milliseconds` (negative: for ever) for the process to end. True when it has.
  [[nodiscard]] bool ended(int milliseconds) const noexcept;
  // Takes the status of a process that has ended. Empty while it still runs.
  std::optional<ending> reap() const noexcept;
  // False where the process is to be ended by its lifeline instead.
  bool kill() const noexcept;
  void reset() noexcept;

 private:
  fd pidfd_;
  pid_t child_ = -1;
};

}  // namespace forkful::detail
