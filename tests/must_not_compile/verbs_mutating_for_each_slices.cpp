// expect: forkful: this callable changes its slices, but they lie in ordinary memory
// slices() keeps the container in its type.
#include <forkful/process_pool.hpp>

#ifdef CONTROL
using cake = forkful::shared_vector<double>;
#else
using cake = std::vector<double>;
#endif

void run_slice(forkful::process_pool& pool, cake& whole) {
  pool.for_each(forkful::slices(whole, 4), [](std::span<double> slice) { slice[0] = 0; });
}
