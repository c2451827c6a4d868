// Whether a worker names each slice in its cursor before it runs, so that a crash shows which one it was, or only the block.
//
// Naming costs a store a slice: nothing, unless the slices are a loop over numbers that the compiler could do with whole registers.
// So both are timed on blocks of such loops, and blocks are named as a whole only where that is faster by a fifth. Short calls never
// get that far: their slices are all named.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace forkful::detail {

class naming {
 public:
  // Whether the slices of the next block are named one by one. `tight`: the loop may gain by not doing it.
  [[nodiscard]] bool each(bool tight, std::size_t slices) const noexcept {
    if (!tight || slices < worth_timing) return true;
    if (one_by_one_.blocks < samples) return true;
    if (together_.blocks < samples) return false;
    return together_.best * 5 > one_by_one_.best * 4;
  }

  // A block took so long.
  void saw(bool each, std::size_t slices, std::uint64_t took) noexcept {
    if (slices < worth_timing) return;
    timing& of = each ? one_by_one_ : together_;
    const double time = static_cast<double>(took) / static_cast<double>(slices);
    of.best = of.blocks == 0 ? time : std::min(of.best, time);
    ++of.blocks;
  }

 private:
  static constexpr std::size_t worth_timing = 64;
  static constexpr std::uint64_t samples = 3;

  struct timing {
    std::uint64_t blocks = 0;
    double best = 0;  // nanoseconds a slice
  };
  timing one_by_one_;
  timing together_;
};

}  // namespace forkful::detail
