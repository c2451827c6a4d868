// expect: forkful: map needs a callable that returns something: use for_each for one that returns nothing
// The same on every pool.
#include <forkful/serial_pool.hpp>

void run_slice(forkful::serial_pool& pool, const std::vector<int>& input) {
#ifdef CONTROL
  (void)pool.try_for_each(input, [](int) {});
#else
  (void)pool.try_map(input, [](int) {});
#endif
}
