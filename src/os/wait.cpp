#include "os/wait.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "os/cpu.hpp"
#include "os/process.hpp"

namespace forkful::detail {

namespace {

constexpr unsigned rung = 0xffff;  // more than there can be workers

epoll_event readable(std::uint64_t tag) noexcept {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  return event;
}

}  // namespace

waiter::waiter() : epoll_(fd::kept_high(::epoll_create1(EPOLL_CLOEXEC))), mark_(now_ns() & 0xffff'ffff'ffff) {
  if (!epoll_.valid()) throw_start_failed("epoll_create1", errno);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    throw_start_failed("socketpair", errno);
  }
  bell_ = fd::kept_high(ends[0]);
  int error = errno;
  rope_ = fd::kept_high(ends[1]);
  if (bell_.valid()) error = errno;
  if (!bell_.valid() || !rope_.valid()) throw_start_failed("fcntl", error);
  epoll_event event = readable(tag(rung));
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, bell_.number(), &event) != 0) throw_start_failed("epoll_ctl", errno);
}

void waiter::watch(const fd& end, unsigned who) {
  epoll_event event = readable(tag(who));
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, end.number(), &event) != 0) throw_start_failed("epoll_ctl", errno);
}

void waiter::forget(const fd& end) noexcept {
  if (end.valid()) ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, end.number(), nullptr);
}

bool waiter::wait(std::int64_t nanoseconds, std::vector<unsigned>& ended) {
  std::array<epoll_event, 64> events{};
  // epoll_wait counts in milliseconds: round up, so that a short wait is never turned into a busy loop.
  const int timeout = nanoseconds < 0 ? -1 : static_cast<int>((nanoseconds + 999'999) / 1'000'000);
  const int count = ::epoll_wait(epoll_.number(), events.data(), static_cast<int>(events.size()), timeout);
  if (count < 0 && errno != EINTR) throw descriptors_lost();
  for (int i = 0; i < count; ++i) {
    const std::uint64_t seen = events[static_cast<std::size_t>(i)].data.u64;
    const auto who = static_cast<unsigned>(seen & 0xffff);
    if (seen != tag(who)) throw descriptors_lost();
    if (who != rung) {
      ended.push_back(who);
      continue;
    }
    // Where the number leads elsewhere the socket may still be in the epoll, held open by workers, and would ring for ever.
    if (!bell_.intact()) throw descriptors_lost();
    std::array<char, 256> rings{};
    while (::recv(bell_.number(), rings.data(), rings.size(), MSG_DONTWAIT) == static_cast<ssize_t>(rings.size())) {
    }
  }
  return count != 0;
}

void waiter::check() const {
  epoll_event event = readable(tag(rung));
  // Only ours has our bell in it.
  const bool ours = ::epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, bell_.number(), &event) == 0 || errno == ENOMEM;
  if (!ours || !bell_.intact() || !rope_.intact()) throw descriptors_lost();
}

bool bell::ring() const noexcept {
  if (!file.behind(number)) return false;
  const char one = 1;
  // EAGAIN means that the socket is full of rings that nobody has read: the parent wakes anyway.
  [[maybe_unused]] const auto sent = ::send(number, &one, sizeof one, MSG_DONTWAIT | MSG_NOSIGNAL);
  return true;
}

}  // namespace forkful::detail
