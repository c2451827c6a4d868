// expect: a pointer to characters cannot travel to another process, where its text is not: use std::string
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

std::vector<int> run_slice(forkful::process_pool& pool, const std::vector<plate>& plates) {
  return pool.map(plates, [](const plate& p) { return p.number; });
}
