// expect: forkful: this callable changes its slices, but they lie in ordinary memory
// slices() keeps the container in its type.
#include <forkful/process_pool.hpp>

#ifdef CONTROL
using numbers = forkful::shared_vector<double>;
#else
using numbers = std::vector<double>;
#endif

void run_slice(forkful::process_pool& pool, numbers& whole) {
  pool.for_each(forkful::slices(whole, 4), [](std::span<double> slice) { slice[0] = 0; });
}
