// expect: it is one that nobody may copy or move (an atomic, a mutex), because it works only where it is
// Counters lie in shared memory, and are changed there.
#include <atomic>
#include <forkful/process_pool.hpp>

struct counter {
  std::atomic<int> n{0};
};

void count(forkful::process_pool& pool) {
#ifdef CONTROL
  forkful::shared_vector<counter> counters(3);
  pool.for_each(counters, [](counter& c) { ++c.n; });
#else
  std::vector<counter> counters(3);
  auto numbers = pool.map(counters, [](const counter& c) { return c.n.load(); });
#endif
}
