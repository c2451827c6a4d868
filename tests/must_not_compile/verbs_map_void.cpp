// expect: forkful: map needs a callable that returns something: use for_each for one that returns nothing
// Nothing is no result.
#include <forkful/process_pool.hpp>

void run_slice(forkful::process_pool& pool, const std::vector<int>& input) {
#ifdef CONTROL
  pool.for_each(input, [](int) {});
#else
  (void)pool.map(input, [](int) {});
#endif
}
