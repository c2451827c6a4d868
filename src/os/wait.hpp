// What the parent sleeps on: an eventfd that workers ring, and a pidfd for each worker, together in one epoll.
// Owns the epoll and the eventfd; pidfds are the crew's.
#pragma once

#include <cstdint>
#include <vector>

#include "os/fd.hpp"

namespace forkful::detail {

// What workers ring: the eventfd's number, inherited or sent.
struct bell {
  int number = -1;
  // Wakes the parent. Async-signal-safe, never blocks.
  void ring() const noexcept;
};

class waiter {
 public:
  waiter();  // throws start_failed

  // Reports `who` from wait() as soon as the process behind `pidfd` has ended. Throws start_failed.
  void watch(const fd& pidfd, unsigned who);
  void forget(const fd& pidfd) noexcept;

  // Sleeps until rung, until a process ended or for `nanoseconds` (negative: for ever; 0: only looks).
  // Appends those that ended to `ended`. A ring is consumed.
  void wait(std::int64_t nanoseconds, std::vector<unsigned>& ended);

  [[nodiscard]] bell ringer() const noexcept { return {event_.number()}; }

 private:
  fd epoll_;
  fd event_;
};

}  // namespace forkful::detail
