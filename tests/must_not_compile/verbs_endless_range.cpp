// expect: this range has no end, and a verb runs all of its slices before it returns
// Numbers without end are for imap, or are cut.
#include <forkful/process_pool.hpp>
#include <ranges>

std::vector<int> run(forkful::process_pool& pool) {
  const auto twice = [](int x) { return 2 * x; };
#ifdef CONTROL
  return pool.map(std::views::iota(0) | std::views::take(5), twice);
#else
  return pool.map(std::views::iota(0), twice);
#endif
}
