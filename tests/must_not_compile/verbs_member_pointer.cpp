// expect: a pointer to a member is not called as f(slice): wrap it in a lambda
// Not even of a method without parameters.
#include <forkful/process_pool.hpp>

struct item {
  double weight() const { return 1; }
};

std::vector<double> all(forkful::process_pool& pool, const std::vector<item>& items) {
#ifdef CONTROL
  return pool.map(items, [](const item& slice) { return slice.weight(); });
#else
  return pool.map(items, &item::weight);
#endif
}
