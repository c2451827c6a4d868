// The middle of several times, and how sure it is.
#pragma once

#include <chrono>
#include <vector>

namespace race {

struct spread {
  std::chrono::nanoseconds median{0};
  std::chrono::nanoseconds low{0};  ///< [low, high] holds the true median with at least 95 % ...
  std::chrono::nanoseconds high{0};
  double noise = 0;  ///< the middle half of the times is this wide, as a part of the median
};

/// There must be at least one time. The interval is that of order statistics (W. J. Conover, Practical Nonparametric Statistics,
/// 3.2), which supposes nothing about how times are distributed; of fewer than six times it is lowest and highest, which is all
/// that can be said (five: 94 %).
spread spread_of(std::vector<std::chrono::nanoseconds> times);

/// How sure a median has to be, and so how far two must lie apart to be distinguished: as a part of them.
inline constexpr double sure_enough = 0.02;

/// True if it cannot be said which of the two is faster: their intervals overlap, or their medians are the same to 2 %.
bool too_close(const spread& a, const spread& b);

}  // namespace race
