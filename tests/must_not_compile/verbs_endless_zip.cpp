// expect: none of the ranges of this zip has an end
// One with an end is enough.
#include <forkful/process_pool.hpp>
#include <ranges>

std::vector<int> run(forkful::process_pool& pool) {
  const auto add = [](int x, int y) { return x + y; };
#ifdef CONTROL
  return pool.map(forkful::zip(std::views::iota(0), std::views::iota(1, 9)), add);
#else
  return pool.map(forkful::zip(std::views::iota(0), std::views::iota(1)), add);
#endif
}
