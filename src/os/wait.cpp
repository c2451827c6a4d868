#include "os/wait.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/cpu.hpp"
#include "os/refused_call.hpp"

namespace forkful::detail {

namespace {

constexpr unsigned rung = 0xffff;  // more than there can be workers
constexpr int ask_ms = 10;

epoll_event readable(std::uint64_t tag) noexcept {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  return event;
}

}  // namespace

waiter::waiter() : epoll_(fd::moved_high(::epoll_create1(EPOLL_CLOEXEC))), mark_(now_ns() & 0xffff'ffff'ffff) {
  if (!epoll_.valid()) throw refused_call("epoll_create1", errno);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    throw refused_call("socketpair", errno);
  }
  bell_ = fd::moved_high(ends[0]);
  int error = errno;
  rope_ = fd::moved_high(ends[1]);
  if (bell_.valid()) error = errno;
  if (!bell_.valid() || !rope_.valid()) throw refused_call("fcntl", error);
  epoll_event event = readable(tag(rung));
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, bell_.number(), &event) != 0) throw refused_call("epoll_ctl", errno);
}

void waiter::watch(const child& process, unsigned who) {
  if (!process.end().valid()) {
    const std::lock_guard lock(mutex_);
    without_descriptor_.emplace_back(process.pid(), who);
    asks_.store(true, std::memory_order_relaxed);
    return;
  }
  epoll_event event = readable(tag(who));
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, process.end().number(), &event) != 0) {
    throw refused_call("epoll_ctl", errno);
  }
}

void waiter::forget(const child& process) noexcept {
  if (process.end().valid()) ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, process.end().number(), nullptr);
  if (!asks_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(without_descriptor_, [&](const numbered& each) { return each.first == process.pid(); });
  asks_.store(!without_descriptor_.empty(), std::memory_order_relaxed);
}

waited waiter::wait(std::int64_t nanoseconds, std::vector<unsigned>& ended) {
  // epoll_wait counts in milliseconds: round up, so that a short wait is never turned into a busy loop.
  int left = nanoseconds < 0 ? -1 : static_cast<int>((nanoseconds + 999'999) / 1'000'000);
  // relaxed: a worker that is added while this waits is asked after in the next wait, as no wait lasts without a look.
  while (asks_.load(std::memory_order_relaxed)) {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [pid, who] : without_descriptor_) {
        if (child::has_ended(pid)) ended.push_back(who);
      }
    }
    const int nap = !ended.empty() ? 0 : left < 0 ? ask_ms : std::min(left, ask_ms);
    const waited came = sleep(nap, ended);
    if (came != waited::in_vain) return came;
    if (!ended.empty()) return waited::happened;
    if (left == 0) return waited::in_vain;
    if (left > 0) left -= nap;
  }
  return sleep(left, ended);
}

// An interruption by a signal is no loss: something happened.
waited waiter::sleep(int milliseconds, std::vector<unsigned>& ended) {
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_.number(), events.data(), static_cast<int>(events.size()), milliseconds);
  if (count < 0 && errno != EINTR) return waited::lost;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t seen = events[static_cast<std::size_t>(i)].data.u64;
    const auto who = static_cast<unsigned>(seen & 0xffff);
    if (seen != tag(who)) return waited::lost;
    if (who != rung) {
      ended.push_back(who);
      continue;
    }
    // Where the number leads elsewhere the socket may still be in the epoll, held open by workers, and would ring for ever.
    if (!bell_.intact()) return waited::lost;
    std::array<char, 256> rings{};
    while (::recv(bell_.number(), rings.data(), rings.size(), MSG_DONTWAIT) == static_cast<ssize_t>(rings.size())) {
    }
  }
  return count == 0 ? waited::in_vain : waited::happened;
}

bool waiter::intact() const {
  epoll_event event = readable(tag(rung));
  // Only ours has our bell in it. Other refusals do not show whether it is ours.
  const bool ours = ::epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, bell_.number(), &event) == 0 ||
                    (errno != EBADF && errno != ENOENT && errno != EINVAL);
  return ours && bell_.intact() && rope_.intact();
}

bool bell::ring() const noexcept {
  if (!file.behind(number)) return false;
  const char one = 1;
  // EAGAIN means that the socket is full of rings that the parent has not read yet: it wakes anyway.
  [[maybe_unused]] const auto sent = ::send(number, &one, sizeof one, MSG_DONTWAIT | MSG_NOSIGNAL);
  return true;
}

}  // namespace forkful::detail
