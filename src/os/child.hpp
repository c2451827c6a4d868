// A process that this one made, to be watched, ended and reaped. Owns the descriptor that tells its end.
//
// Invariant: it counts as ended only when the kernel says so. A descriptor that other code has closed, or whose number leads to another
// file by now, is not believed: then the child is asked for by its number, which is nobody else's before its status is taken.
#pragma once

#include <sys/types.h>

#include <optional>

#include "os/fd.hpp"

namespace forkful::detail {

// How a process ended.
struct ending {
  int signal = 0;        // 0: it exited
  int exit_status = -1;  // -1, without a signal: the program took its status (a wait() of its own, SIGCHLD ignored)
};

class child {
 public:
  child() noexcept = default;
  // Not valid, with errno set, where the system gives no descriptor for it: then take its status with reap_unwatched().
  explicit child(pid_t pid) noexcept;

  [[nodiscard]] bool valid() const noexcept { return end_.valid(); }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  // Becomes readable when the process ends.
  [[nodiscard]] const fd& end() const noexcept { return end_; }

  // Sends SIGKILL. False if the system refuses (privileges dropped since, a seccomp filter), or the descriptor is lost.
  bool kill() const noexcept;
  // Waits at most `milliseconds` (negative: for ever) for it to end. True when it has.
  [[nodiscard]] bool ended(int milliseconds) const noexcept;
  // Takes its status, once it has ended. Empty while it still runs.
  [[nodiscard]] std::optional<ending> reap() const noexcept;
  // Lets go of it.
  void reset() noexcept { *this = child(); }

 private:
  [[nodiscard]] bool ended_by_number(int milliseconds) const noexcept;

  pid_t pid_ = -1;
  fd end_;
};

// 0, or the errno with which this system refuses any such descriptor: then there are no workers.
int child_error() noexcept;

// Waits for a child that is not watched to end, and takes its status.
void reap_unwatched(pid_t process) noexcept;

}  // namespace forkful::detail
