// expect: forkful: this callable changes its slices, but they lie in ordinary memory
// A generic auto& counts as changing.
#include <forkful/process_pool.hpp>

#ifdef CONTROL
using numbers = forkful::shared_vector<int>;
#else
using numbers = std::vector<int>;
#endif

void run_slice(forkful::process_pool& pool, numbers& slices) {
  pool.for_each(slices, [](auto& slice) { slice = 0; });
}
