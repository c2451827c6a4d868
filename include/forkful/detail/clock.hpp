// The one clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace [[gnu::visibility("default")]] forkful {
namespace detail {

/// Nanoseconds of CLOCK_MONOTONIC, which is the same in every process of this machine.
inline std::uint64_t now_ns() noexcept {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

/// A time at which nothing ends.
inline constexpr std::uint64_t for_ever = ~std::uint64_t{0};

}  // namespace detail
}  // namespace forkful
