// Work of any length that gives a result: a generator of random numbers, run so many times.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace race {

/// The next number of SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014), which needs no more state than its last one.
constexpr std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

/// The sum of the first `turns` numbers after `seed`: no compiler can compute it beforehand.
std::uint64_t spin(std::uint64_t seed, std::uint64_t turns);

/// How many turns of `spin` take this long here and now.
std::uint64_t turns_in(std::chrono::nanoseconds time);

/// How many turns of f, of which f(n) makes n and returns a number, take `time`: judged by the fastest of several tries, so that a
/// moment's noise counts little.
template <class F>
std::uint64_t turns_of(F&& f, std::chrono::nanoseconds time) {
  constexpr std::uint64_t tried = 20'000;
  auto fastest = std::chrono::nanoseconds::max();
  for (int i = 0; i < 15; ++i) {
    const auto began = std::chrono::steady_clock::now();
    [[maybe_unused]] static volatile std::uint64_t wanted;  // or no compiler would compute it
    wanted = f(tried);
    fastest = std::min<std::chrono::nanoseconds>(fastest, std::chrono::steady_clock::now() - began);
  }
  const double one = static_cast<double>(std::max<std::int64_t>(fastest.count(), 1)) / static_cast<double>(tried);
  return static_cast<std::uint64_t>(static_cast<double>(time.count()) / one);
}

}  // namespace race
