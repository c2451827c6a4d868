#include "os/readiness.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "os/cpu.hpp"

namespace forkful::detail {

readiness wait_readable(int number, int milliseconds) noexcept {
  constexpr std::uint64_t millisecond = 1'000'000;
  const std::uint64_t until = now_ns() + static_cast<std::uint64_t>(std::max(milliseconds, 0)) * millisecond;
  pollfd one{number, POLLIN, 0};
  for (int left = milliseconds;;) {
    const int ready = ::poll(&one, 1, left);
    if (ready > 0) return (one.revents & POLLNVAL) == 0 ? readiness::ready : readiness::refused;
    if (ready == 0) return readiness::not_yet;
    if (errno != EINTR) return readiness::refused;
    if (milliseconds > 0) left = static_cast<int>((until - std::min(until, now_ns())) / millisecond);
  }
}

}  // namespace forkful::detail
