// How long something takes: the median of several times.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

namespace tour {

/// The middle one; of an even number the upper. There must be one.
inline std::chrono::nanoseconds median(
    std::vector<std::chrono::nanoseconds> times) {
  const auto middle =
      times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

template <class F>
std::chrono::nanoseconds time_of(F&& f) {
  const auto began = std::chrono::steady_clock::now();
  f();
  return std::chrono::steady_clock::now() - began;
}

/// `f` returns a container that is not empty, which is checked, so that
/// no compiler can leave the work out.
template <class F>
std::chrono::nanoseconds median_time(std::size_t times, F&& f) {
  std::vector<std::chrono::nanoseconds> taken;
  taken.reserve(times);
  for (std::size_t i = 0; i < times; ++i)
    taken.push_back(time_of([&] {
      if (f().empty()) throw std::logic_error("nothing was eaten");
    }));
  return median(std::move(taken));
}

}  // namespace tour
