// expect: it has a raw pointer or reference member, or owns through a pointer, and what that points at stays behind
// Broadcast arguments are copied to workers: a reference in one would refer to nothing there.
#include <forkful/process_pool.hpp>

struct table {
#ifdef CONTROL
  std::vector<int> plates;
#else
  const std::vector<int>& plates;
#endif
};

std::vector<int> run_slice(forkful::process_pool& pool, const std::vector<std::size_t>& input, const table& all) {
  return pool.map(input, [](std::size_t slice, const table& t) { return t.plates[slice]; }, all);
}
