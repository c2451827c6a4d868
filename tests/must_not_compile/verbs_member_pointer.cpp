// expect: a pointer to a member is not called as f(slice): wrap it in a lambda
// Not even of a method without parameters.
#include <forkful/process_pool.hpp>

struct cake {
  double weight() const { return 1; }
};

std::vector<double> all(forkful::process_pool& pool, const std::vector<cake>& cakes) {
#ifdef CONTROL
  return pool.map(cakes, [](const cake& slice) { return slice.weight(); });
#else
  return pool.map(cakes, &cake::weight);
#endif
}
