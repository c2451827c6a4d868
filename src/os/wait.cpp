#include "os/wait.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "os/process.hpp"

namespace forkful::detail {

namespace {
constexpr std::uint32_t rung = 0xffffffff;
}

waiter::waiter() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.valid()) throw_start_failed("epoll_create1", errno);
  event_ = fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_.valid()) throw_start_failed("eventfd", errno);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = rung;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, event_.number(), &event) != 0) throw_start_failed("epoll_ctl", errno);
}

void waiter::watch(const fd& pidfd, unsigned who) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = who;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, pidfd.number(), &event) != 0) throw_start_failed("epoll_ctl", errno);
}

void waiter::forget(const fd& pidfd) noexcept {
  if (pidfd.valid()) ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, pidfd.number(), nullptr);
}

void waiter::wait(std::int64_t nanoseconds, std::vector<unsigned>& ended) {
  std::array<epoll_event, 64> events{};
  // epoll_wait counts in milliseconds: round up, so that a short wait is never turned into a busy loop.
  const int timeout = nanoseconds < 0 ? -1 : static_cast<int>((nanoseconds + 999'999) / 1'000'000);
  const int count = ::epoll_wait(epoll_.number(), events.data(), static_cast<int>(events.size()), timeout);
  for (int i = 0; i < count; ++i) {
    const std::uint32_t who = events[static_cast<std::size_t>(i)].data.u32;
    if (who == rung) {
      std::uint64_t rings = 0;
      [[maybe_unused]] const auto got = ::read(event_.number(), &rings, sizeof rings);
    } else {
      ended.push_back(who);
    }
  }
}

void bell::ring() const noexcept {
  const std::uint64_t one = 1;
  // EAGAIN means the counter is full of rings that nobody has read: the parent wakes anyway.
  [[maybe_unused]] const auto sent = ::write(number, &one, sizeof one);
}

}  // namespace forkful::detail
