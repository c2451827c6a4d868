// expect: it has a raw pointer or reference member, or owns through a pointer, and what that points at stays behind
// A pointer to a big table is no argument; the table in shared memory is.
#include <forkful/process_pool.hpp>

#ifdef CONTROL
using table = forkful::shared_vector<double>;
#else
using table = double*;
#endif

std::vector<double> run_slice(forkful::process_pool& pool, const table& weights) {
  return pool.map(forkful::indices(10), [](std::size_t i, const table& w) { return w[i]; }, weights);
}
