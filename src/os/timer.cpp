#include "os/timer.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace forkful::detail {

namespace {

// System calls and not the C library's functions, which are not promised to be async-signal-safe.
bool make_timer(int signal, int& id) noexcept {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = signal;
  return ::syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id) == 0;
}

bool set_timer(int id, int flags, std::uint64_t nanoseconds) noexcept {
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000);
  when.it_value.tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000);
  return ::syscall(SYS_timer_settime, id, flags, &when, nullptr) == 0;
}

}  // namespace

bool signal_timer::set(std::uint64_t deadline) noexcept {
  if (!made_) made_ = make_timer(signal_, id_);
  set_ = made_ && set_timer(id_, TIMER_ABSTIME, deadline);
  return set_;
}

void signal_timer::clear() noexcept {
  if (!set_) return;
  set_ = false;
  set_timer(id_, 0, 0);
}

void end_after(std::uint64_t nanoseconds) noexcept {
  int id = 0;
  if (make_timer(SIGKILL, id)) set_timer(id, 0, nanoseconds);
}

}  // namespace forkful::detail
