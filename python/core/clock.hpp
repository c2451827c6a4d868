// Python's seconds on the engine's clock.
#pragma once

#include <cstdint>
#include <forkful/detail/clock.hpp>

namespace forkful::python {

// The time in so many seconds; negative, or longer than a life: for_ever.
inline std::uint64_t in_seconds(double seconds) noexcept {
  constexpr double longest = 1e9;
  if (!(seconds >= 0 && seconds <= longest)) return detail::for_ever;
  return seconds == 0 ? 0 : detail::now_ns() + static_cast<std::uint64_t>(seconds * 1e9);
}

}  // namespace forkful::python
