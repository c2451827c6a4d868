// expect: arguments after the callable arrive as const&, because each worker has its own
// The caller would not see what a worker adds up in its own copy.
#include <forkful/process_pool.hpp>

void all(forkful::process_pool& pool, const std::vector<int>& numbers) {
#ifdef CONTROL
  const forkful::shared<std::atomic<long>> sum(0);
  pool.for_each(numbers, [](int x, const forkful::shared<std::atomic<long>>& s) { *s += x; }, sum);
#else
  long sum = 0;
  pool.for_each(numbers, [](int x, long& s) { s += x; }, sum);
#endif
}
