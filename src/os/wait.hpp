// What the parent sleeps on: a bell that workers ring, and the descriptor of each worker's end, together in one epoll.
// Owns the epoll and the bell; workers' descriptors are the crew's.
//
// The bell is a pair of sockets, not an eventfd: a socket can be told from every other file that may have got its number since.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "os/fd.hpp"

namespace forkful::detail {

// What workers ring: the bell's number, inherited or sent, and the socket that has to be behind it.
struct bell {
  int number = -1;
  file_identity file;
  // Wakes the parent. False if the number is another file's by now, or nobody's: then nothing was written. Async-signal-safe, never
  // blocks. Cost: two system calls.
  bool ring() const noexcept;
};

// Thrown when the program has closed what the parent sleeps on, or some other file has its number.
struct descriptors_lost : std::exception {};

class waiter {
 public:
  waiter();  // throws start_failed

  // Reports `who` from wait() as soon as the process behind `end` has ended. Throws start_failed.
  void watch(const fd& end, unsigned who);
  void forget(const fd& end) noexcept;

  // Sleeps until rung, until a process ended or for `nanoseconds` (negative: for ever; 0: only looks).
  // Appends those that ended to `ended`. A ring is consumed. False: nothing of all that happened. Throws descriptors_lost.
  bool wait(std::int64_t nanoseconds, std::vector<unsigned>& ended);

  // Throws descriptors_lost if it could not wait. A few system calls.
  void check() const;

  [[nodiscard]] bell ringer() const noexcept { return {rope_.number(), rope_.file()}; }

 private:
  [[nodiscard]] std::uint64_t tag(unsigned who) const noexcept { return mark_ << 16 | who; }

  fd epoll_;
  fd bell_;             // where rings arrive
  fd rope_;             // what is pulled
  std::uint64_t mark_;  // in the tags of our events: those of another epoll have other ones
};

}  // namespace forkful::detail
