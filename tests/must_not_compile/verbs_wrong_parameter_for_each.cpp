// expect: the callable cannot be called with (slice, const args&...)
// One argument too few, on a pool of threads.
#include <forkful/thread_pool.hpp>

void all(forkful::thread_pool& pool, std::vector<int>& numbers) {
#ifdef CONTROL
  pool.for_each(numbers, [](int& x, int by) { x += by; }, 2);
#else
  pool.for_each(numbers, [](int& x, int by) { x += by; });
#endif
}
