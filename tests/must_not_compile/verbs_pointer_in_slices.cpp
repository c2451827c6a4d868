// expect: it has a raw pointer or reference member, or owns through a pointer, and what that points at stays behind
// Slices that point elsewhere cannot be copied to workers.
#include <forkful/process_pool.hpp>

struct plate {
  int number;
#ifdef CONTROL
  std::string name;
#else
  const char* name;
#endif
};

std::vector<int> eat(forkful::process_pool& pool, const std::vector<plate>& plates) {
  return pool.map(plates, [](const plate& p) { return p.number; });
}
