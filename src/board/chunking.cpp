#include "board/chunking.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "board/pace.hpp"

namespace forkful::detail {

namespace {
constexpr std::size_t copied_chunk_bytes = std::size_t{1} << 20;
constexpr std::size_t largest_chunk = std::size_t{1} << 40;  // the cursor holds 48 bits of offset
}  // namespace

std::size_t next_chunk(std::size_t all, std::size_t remaining, unsigned workers, std::size_t asked,
                       std::size_t slice_bytes, double slice_ns) noexcept {
  if (asked != 0) return std::min({asked, remaining, largest_chunk});
  std::size_t size =
      std::min(remaining / (2 * std::size_t{workers}), std::max<std::size_t>(1, all / (128 * std::size_t{workers})));
  if (slice_ns > 0) {
    const auto fit = [slice_ns](std::uint64_t time) {
      return static_cast<std::size_t>(std::min(std::ceil(static_cast<double>(time) / slice_ns), 0x1p40));
    };
    size = std::min(std::max(size, std::min(fit(pays_ns), remaining)), fit(long_chunk_ns));
  }
  if (slice_bytes != 0) size = std::min(size, copied_chunk_bytes / slice_bytes);
  return std::clamp<std::size_t>(size, 1, largest_chunk);
}

}  // namespace forkful::detail
