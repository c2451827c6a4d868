#include "race/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace race {

namespace {

/// The most that may be dropped at either end of n times so that those left hold the true median in 95 % of all cases: d, if d or
/// fewer of n times lie below it in at most 2.5 %.
std::size_t dropped_at_each_end(std::size_t n) {
  double sum = 0;
  double ways = std::exp2(-static_cast<double>(n));  // of k = 0: n over k, by 2^-n
  for (std::size_t k = 0; k < n; ++k) {
    sum += ways;
    if (sum > 0.025) return k == 0 ? 0 : k - 1;
    ways *= static_cast<double>(n - k) / static_cast<double>(k + 1);
  }
  return 0;
}

}  // namespace

bool too_close(const spread& a, const spread& b) {
  const auto [less, more] = std::minmax(a.median, b.median);
  return (a.low <= b.high && b.low <= a.high) ||
         static_cast<double>((more - less).count()) <= sure_enough * static_cast<double>(less.count());
}

spread spread_of(std::vector<std::chrono::nanoseconds> times) {
  std::sort(times.begin(), times.end());
  const std::size_t n = times.size();
  const std::size_t dropped = dropped_at_each_end(n);
  spread found{.median = n % 2 != 0 ? times[n / 2] : (times[n / 2 - 1] + times[n / 2]) / 2,
               .low = times[dropped],
               .high = times[n - 1 - dropped]};
  if (found.median.count() > 0) {
    const auto middle_half = times[(3 * (n - 1)) / 4] - times[(n - 1) / 4];
    found.noise = static_cast<double>(middle_half.count()) / static_cast<double>(found.median.count());
  }
  return found;
}

}  // namespace race
