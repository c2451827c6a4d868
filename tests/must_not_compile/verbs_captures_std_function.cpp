// expect: forkful: a callable with captures cannot be sent to workers that already run
// A std::function may hold anything, so it is taken for a closure.
#include <forkful/process_pool.hpp>
#include <functional>

#ifdef CONTROL
using callable = int (*)(int);
#else
using callable = std::function<int(int)>;
#endif

std::vector<int> run_slice(forkful::process_pool& pool, const std::vector<int>& input, callable f) {
  return pool.map(input, f);
}
