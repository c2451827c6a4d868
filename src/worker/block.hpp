// How many slices are run between two looks at the clock: twice as many while that takes little, half as many once it takes much.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace forkful::detail {

class block_length {
 public:
  [[nodiscard]] std::size_t slices() const noexcept { return slices_; }
  // A block took so long; one that takes less than `short_ns` is too short, one of more than four times that is too long.
  void adapt(std::uint64_t took, std::uint64_t short_ns, std::size_t most) noexcept {
    if (took < short_ns) {
      slices_ = std::min(slices_ * 2, most);
    } else if (took > 4 * short_ns) {
      slices_ = std::max<std::size_t>(slices_ / 2, 1);
    }
  }

 private:
  std::size_t slices_ = 1;
};

}  // namespace forkful::detail
