// expect: forkful: this callable changes its slices, but they lie in ordinary memory
// A snapshot's workers would change their own copy.
#include <forkful/snapshot_pool.hpp>

#ifdef CONTROL
using numbers = forkful::shared_vector<int>;
#else
using numbers = std::vector<int>;
#endif

void run_slice(forkful::snapshot_pool& pool, numbers& slices) {
  pool.for_each(slices, [](int& slice) { slice = 0; });
}
