// Repeated measurements of one figure, and how long to go on repeating them.
//
// Owns the samples. The first of several is left out: it finds caches and page tables cold.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "os/cpu.hpp"

namespace forkful::detail {

class samples {
 public:
  samples() = default;
  explicit samples(std::vector<double> values) : values_(std::move(values)) {
    if (values_.size() > 1) values_.erase(values_.begin());
    std::sort(values_.begin(), values_.end());
  }

  // At least one sample. Half of them are at most so.
  [[nodiscard]] double median() const { return quantile(0.5); }
  // One in five is at most so: for a time that nothing makes shorter than it is, but much makes longer.
  [[nodiscard]] double low() const { return quantile(0.2); }
  // How much they differ: half the interquartile range over the median. 0 where that says nothing.
  [[nodiscard]] double spread() const {
    if (values_.size() < 4 || median() <= 0) return 0;
    return (quantile(0.75) - quantile(0.25)) / 2 / median();
  }

 private:
  [[nodiscard]] double quantile(double share) const {
    const double place = share * static_cast<double>(values_.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values_.size() - 1);
    return values_[below] + (place - static_cast<double>(below)) * (values_[above] - values_[below]);
  }

  std::vector<double> values_{};
};

// Runs measurements until their time is up, each at least once, and remembers how much they differed.
class pace {
 public:
  // Calls `one()` at most `most` times, and once more only while less than `milliseconds` have passed.
  template <class Measurement>
  samples repeat(std::size_t most, double milliseconds, Measurement one) {
    std::vector<double> values;
    const std::uint64_t end = now_ns() + static_cast<std::uint64_t>(milliseconds * 1e6);
    do {
      values.push_back(one());
    } while (values.size() < most && now_ns() < end);
    return taken(std::move(values));
  }
  samples taken(std::vector<double> values) {
    const samples all(std::move(values));
    if (all.spread() > 0) spreads_.push_back(all.spread());
    return all;
  }

  // The median of all their spreads.
  [[nodiscard]] double spread() const {
    if (spreads_.empty()) return 0;
    std::vector<double> sorted = spreads_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }

 private:
  std::vector<double> spreads_{};
};

// Seconds since now_ns() read `began`; never 0, since what is measured took some time.
inline double seconds_since(std::uint64_t began) noexcept {
  return 1e-9 * static_cast<double>(std::max<std::uint64_t>(now_ns() - began, 1));
}

}  // namespace forkful::detail
