// expect: forkful: the first argument of a verb must be a range of slices
// A number is no range; indices(n) is.
#include <forkful/process_pool.hpp>

void run_slice(forkful::process_pool& pool, std::size_t n) {
#ifdef CONTROL
  (void)pool.map(forkful::indices(n), [](std::size_t i) { return i; });
#else
  (void)pool.map(n, [](std::size_t i) { return i; });
#endif
}
