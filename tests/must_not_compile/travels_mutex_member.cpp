// expect: it is one that nobody may copy or move (an atomic, a mutex), because it works only where it is
// What a mutex guards travels without it.
#include <forkful/process_pool.hpp>
#include <mutex>

struct table {
  int value = 0;
#ifndef CONTROL
  std::mutex guard{};
#endif
};

std::vector<int> run(forkful::process_pool& pool, const table& all) {
  return pool.map(forkful::indices(3), [](std::size_t, const table& t) { return t.value; }, all);
}
