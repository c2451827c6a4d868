// A clock that wakes a thread at a given time without another thread having to: setting it costs a system call, 0.3 us,
// waking the thread nothing. Owns a timerfd.
#pragma once

#include <cstdint>

#include "os/fd.hpp"

namespace forkful::detail {

class alarm_clock {
 public:
  // Not valid where the system grants none.
  alarm_clock() noexcept;
  [[nodiscard]] bool valid() const noexcept { return timer_.valid(); }
  // wait() returns when CLOCK_MONOTONIC reads so many nanoseconds, or at once if it did already. Replaces an earlier time.
  // False if the system refuses, which it does always or never, and when the program has closed the clock: then a thread that sleeps
  // in wait() cannot be woken any more.
  bool set(std::uint64_t time) noexcept;
  // Sleeps until then. False when the program has closed the clock.
  [[nodiscard]] bool wait() noexcept;

 private:
  fd timer_;
};

}  // namespace forkful::detail
