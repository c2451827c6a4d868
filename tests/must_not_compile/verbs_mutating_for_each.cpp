// expect: forkful: this callable changes its slices, but they lie in ordinary memory, where workers would change a copy: keep them in a forkful::shared_vector, or use update(), which copies the changed slices back
// In place needs memory that workers share.
#include <forkful/process_pool.hpp>

#ifdef CONTROL
using numbers = forkful::shared_vector<int>;
#else
using numbers = std::vector<int>;
#endif

void run_slice(forkful::process_pool& pool, numbers& slices) {
  pool.for_each(slices, [](int& slice) { slice = 0; });
}
