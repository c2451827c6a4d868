#include "os/alarm.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include "os/readiness.hpp"

namespace forkful::detail {

alarm_clock::alarm_clock() noexcept
    : timer_(fd::moved_high(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK))) {
  if (valid() && !set(~std::uint64_t{0} >> 1)) timer_.reset();
}

bool alarm_clock::set(std::uint64_t time) noexcept {
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(time / 1'000'000'000);
  when.it_value.tv_nsec = static_cast<long>(time % 1'000'000'000);
  if (time == 0) when.it_value.tv_nsec = 1;  // zero would disarm it
  return timer_.intact() && ::timerfd_settime(timer_.number(), TFD_TIMER_ABSTIME, &when, nullptr) == 0;
}

bool alarm_clock::wait() noexcept {
  // Asked for more than there is, the caller looks at the time anyway.
  if (wait_readable(timer_.number(), -1) != readiness::ready || !timer_.intact()) return false;
  std::uint64_t times = 0;
  [[maybe_unused]] const auto got = ::read(timer_.number(), &times, sizeof times);
  return true;
}

}  // namespace forkful::detail
