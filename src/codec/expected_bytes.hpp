// How much room a chunk's frame is likely to take, judged by the chunk before: one segment then, where slices are small and many,
// instead of a chain of ever larger ones.
#pragma once

#include <algorithm>
#include <cstddef>

namespace forkful::detail {

class expected_bytes {
 public:
  // What so many slices will take, and an eighth more. Of large frames only the first part: there the chain costs nothing.
  [[nodiscard]] std::size_t of(std::size_t slices) const noexcept {
    return static_cast<std::size_t>(std::min(a_slice_ * 1.125 * static_cast<double>(slices), most));
  }
  void saw(std::size_t slices, std::size_t bytes) noexcept {
    a_slice_ = static_cast<double>(bytes) / static_cast<double>(slices);
  }

 private:
  static constexpr double most = 16 << 10;
  double a_slice_ = 0;
};

}  // namespace forkful::detail
