// expect: and a value instead of a pointer or reference
// Also of try_map.
#include <forkful/process_pool.hpp>

void run_slice(forkful::process_pool& pool, const std::vector<int>& input) {
#ifdef CONTROL
  (void)pool.try_map(input, [](const int& slice) { return slice; });
#else
  (void)pool.try_map(input, [](const int& slice) { return &slice; });
#endif
}
