#include "os/wait.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/process.hpp"

namespace forkful::detail {

namespace {
constexpr std::uint32_t rung = 0xffffffff;
constexpr int ask_ms = 10;
}  // namespace

waiter::waiter() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.valid()) throw_start_failed("epoll_create1", errno);
  event_ = fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_.valid()) throw_start_failed("eventfd", errno);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = rung;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, event_.number(), &event) != 0) throw_start_failed("epoll_ctl", errno);
}

void waiter::watch(const process_handle& process, unsigned who) {
  if (!process.pidfd().valid()) {
    const std::lock_guard lock(mutex_);
    without_descriptor_.emplace_back(process.number(), who);
    asks_.store(true, std::memory_order_relaxed);
    return;
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = who;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, process.pidfd().number(), &event) != 0)
    throw_start_failed("epoll_ctl", errno);
}

void waiter::forget(const process_handle& process) noexcept {
  if (process.pidfd().valid()) ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, process.pidfd().number(), nullptr);
  if (!asks_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(without_descriptor_, [&](const numbered& each) { return each.first == process.number(); });
  asks_.store(!without_descriptor_.empty(), std::memory_order_relaxed);
}

void waiter::wait(std::int64_t nanoseconds, std::vector<unsigned>& ended) {
  // epoll_wait counts in milliseconds: round up, so that a short wait is never turned into a busy loop.
  int left = nanoseconds < 0 ? -1 : static_cast<int>((nanoseconds + 999'999) / 1'000'000);
  // relaxed: who is added while this waits is asked after in the next wait, as no wait lasts without a look.
  while (asks_.load(std::memory_order_relaxed)) {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [child, who] : without_descriptor_) {
        if (process_handle::has_ended(child)) ended.push_back(who);
      }
    }
    const int nap = !ended.empty() ? 0 : left < 0 ? ask_ms : std::min(left, ask_ms);
    if (sleep(nap, ended) > 0 || !ended.empty() || left == 0) return;
    if (left > 0) left -= nap;
  }
  sleep(left, ended);
}

// Returns how much has happened.
int waiter::sleep(int milliseconds, std::vector<unsigned>& ended) {
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_.number(), events.data(), static_cast<int>(events.size()), milliseconds);
  for (int i = 0; i < count; ++i) {
    const std::uint32_t who = events[static_cast<std::size_t>(i)].data.u32;
    if (who == rung) {
      std::uint64_t rings = 0;
      [[maybe_unused]] const auto got = ::read(event_.number(), &rings, sizeof rings);
    } else {
      ended.push_back(who);
    }
  }
  return count;
}

void bell::ring() const noexcept {
  const std::uint64_t one = 1;
  // EAGAIN means the counter is full of rings that nobody has read: the parent wakes anyway.
  [[maybe_unused]] const auto sent = ::write(number, &one, sizeof one);
}

}  // namespace forkful::detail
