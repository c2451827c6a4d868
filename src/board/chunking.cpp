#include "board/chunking.hpp"

#include <algorithm>

namespace forkful::detail {

namespace {
constexpr std::size_t copied_chunk_bytes = std::size_t{1} << 20;
constexpr std::size_t largest_chunk = std::size_t{1} << 40;  // the cursor holds 48 bits of offset
}  // namespace

std::size_t next_chunk(std::size_t all, std::size_t remaining, unsigned workers, std::size_t asked,
                       std::size_t slice_bytes) noexcept {
  if (asked != 0) return std::min({asked, remaining, largest_chunk});
  std::size_t size =
      std::min(remaining / (2 * std::size_t{workers}), std::max<std::size_t>(1, all / (128 * std::size_t{workers})));
  if (slice_bytes != 0) size = std::min(size, copied_chunk_bytes / slice_bytes);
  return std::clamp<std::size_t>(size, 1, largest_chunk);
}

}  // namespace forkful::detail
