#include "works/spin.hpp"

namespace race {

std::uint64_t spin(std::uint64_t seed, std::uint64_t turns) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < turns; ++i) sum += next_random(seed);
  return sum;
}

std::uint64_t turns_in(std::chrono::nanoseconds time) {
  return turns_of([](std::uint64_t turns) { return spin(1, turns); }, time);
}

}  // namespace race
