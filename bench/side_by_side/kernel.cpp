#include "kernel.hpp"

#include <algorithm>
#include <chrono>

extern "C" [[gnu::visibility("default")]] std::uint64_t forkful_bench_run(std::uint64_t seed, std::uint64_t steps) {
  for (std::uint64_t i = 0; i < steps; ++i) seed = seed * 6364136223846793005U + 1442695040888963407U;
  return seed;
}

namespace forkful_bench {

std::uint64_t steps_in(double seconds) {
  static const double one = [] {
    constexpr std::uint64_t steps = 1'000'000;
    double best = 1;
    std::uint64_t seed = 1;
    for (int i = 0; i < 20; ++i) {
      const auto began = std::chrono::steady_clock::now();
      seed = run_slice(seed, steps);
      asm volatile("" : : "r"(seed) : "memory");
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    }
    return best / steps;
  }();
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(seconds / one));
}

}  // namespace forkful_bench
