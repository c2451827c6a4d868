// A process that this one made, to be watched, ended and reaped. Owns the descriptor that reports its end.
//
// Invariant: it counts as ended only when the kernel says so. Where there is no descriptor it is asked after by its number with
// waitid: on systems that refuse pidfd_open for good (valgrind before 3.20, seccomp filters, old containers), and where other code
// of the program has closed it. The number is the child's until its status is taken; should the program have taken that (a wait() of
// its own, SIGCHLD ignored), waitid knows no such child, which is as sure a sign that it has ended.
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
  // Not valid, with errno set, where there is no descriptor or no memory for it: then take its status with reap_unwatched().
  explicit child(pid_t pid) noexcept;

  [[nodiscard]] bool valid() const noexcept { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  // Becomes readable when the process ends; not valid where the system has no such descriptors.
  [[nodiscard]] const fd& end() const noexcept { return end_; }
  // It had a descriptor, which other code has closed.
  [[nodiscard]] bool lost() const noexcept;

  // Sends SIGKILL. False if the system refuses (privileges dropped since, a seccomp filter), or if that might hit another.
  bool kill() const noexcept;
  // Waits at most `milliseconds` (negative: for ever) for it to end. True when it has.
  [[nodiscard]] bool ended(int milliseconds) const noexcept;
  // Whether the child of that number has ended.
  static bool has_ended(pid_t pid) noexcept;
  // Takes its status, once it has ended. Empty while it still runs.
  [[nodiscard]] std::optional<ending> reap() const noexcept;
  // Closes its descriptor.
  void reset() noexcept { *this = child(); }

 private:
  [[nodiscard]] bool ended_by_number(int milliseconds) const noexcept;

  pid_t pid_ = -1;
  fd end_;
};

// 0, or the errno with which this system refuses any such descriptor.
int child_error() noexcept;

// Waits for a child that is not watched to end, and takes its status.
void reap_unwatched(pid_t process) noexcept;

}  // namespace forkful::detail
