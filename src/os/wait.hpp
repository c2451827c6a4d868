// What the parent sleeps on: an eventfd that workers ring, and a pidfd for each worker, together in one epoll. Workers that have
// none are asked after every 10 ms.
// Owns the epoll and the eventfd; handles are the crew's.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "os/fd.hpp"
#include "os/process_handle.hpp"

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

  // Reports `who` from wait() as soon as the process has ended. Throws start_failed, or bad_alloc.
  void watch(const process_handle&, unsigned who);
  void forget(const process_handle&) noexcept;

  // Sleeps until rung, until a process ended or for `nanoseconds` (negative: for ever; 0: only looks).
  // Appends those that ended to `ended`. A ring is consumed.
  void wait(std::int64_t nanoseconds, std::vector<unsigned>& ended);

  [[nodiscard]] bell ringer() const noexcept { return {event_.number()}; }

 private:
  using numbered = std::pair<pid_t, unsigned>;

  int sleep(int milliseconds, std::vector<unsigned>& ended);

  fd epoll_;
  fd event_;
  std::mutex mutex_;                          // over the next, which others change while one waits
  std::vector<numbered> without_descriptor_;  // and who they are
  std::atomic<bool> asks_{false};             // whether there are any
};

}  // namespace forkful::detail
