// What the parent sleeps on: a bell that workers ring, and the descriptor of each worker's end, together in one epoll. Workers that
// have none are asked after every 10 ms. Owns the epoll and the bell; workers' descriptors are the crew's.
//
// The bell is a pair of sockets, not an eventfd: a socket can be distinguished from every other file that may have got
// its number since.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "os/child.hpp"
#include "os/fd.hpp"

namespace forkful::detail {

// What workers ring: the bell's number, inherited or sent, and the socket that has to be behind it.
struct bell {
  int number = -1;
  file_identity file;
  // Wakes the parent. False if the number is another file's by now, or no file's: then nothing was written.
  // Async-signal-safe, never blocks. Cost: two system calls.
  bool ring() const noexcept;
};

// What came of a wait. `lost`: nothing can come any more, because the program has closed what the parent sleeps on, or another file
// has its number.
enum class waited { in_vain, happened, lost };

class waiter {
 public:
  waiter();  // throws refused_call

  // Reports `who` from wait() as soon as the process has ended. Throws refused_call, or bad_alloc.
  void watch(const child&, unsigned who);
  void forget(const child&) noexcept;

  // Sleeps until rung, until a process ended or for `nanoseconds` (negative: for ever; 0: only looks).
  // Appends those that ended to `ended`. A ring is consumed.
  waited wait(std::int64_t nanoseconds, std::vector<unsigned>& ended);

  // False if nothing could come of a wait. A few system calls.
  [[nodiscard]] bool intact() const;

  [[nodiscard]] bell ringer() const noexcept { return {rope_.number(), rope_.file()}; }

 private:
  using numbered = std::pair<pid_t, unsigned>;

  [[nodiscard]] std::uint64_t tag(unsigned who) const noexcept { return mark_ << 16 | who; }
  waited sleep(int milliseconds, std::vector<unsigned>& ended);

  fd epoll_;
  fd bell_;             // where rings arrive
  fd rope_;             // what is pulled
  std::uint64_t mark_;  // in the tags of our events: those of another epoll have other ones

  std::mutex mutex_;                          // over the next, which other threads change while one waits
  std::vector<numbered> without_descriptor_;  // and the tags of those
  std::atomic<bool> asks_{false};             // whether there are any
};

}  // namespace forkful::detail
