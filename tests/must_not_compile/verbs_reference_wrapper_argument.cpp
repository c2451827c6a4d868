// expect: it has a raw pointer or reference member, or owns through a pointer, and what that points at stays behind
// A reference to the caller's object means nothing in another process; a handle into shared memory does.
#include <atomic>
#include <forkful/process_pool.hpp>
#include <functional>

void count(forkful::process_pool& pool) {
#ifdef CONTROL
  const forkful::shared<std::atomic<long>> total(0L);
  pool.for_each(forkful::indices(3), [](std::size_t, const forkful::shared<std::atomic<long>>& t) { ++*t; }, total);
#else
  long total = 0;
  pool.for_each(forkful::indices(3), [](std::size_t, long& t) { ++t; }, std::ref(total));
#endif
}
