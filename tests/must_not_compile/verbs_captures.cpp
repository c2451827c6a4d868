// expect: forkful: a callable with captures cannot be sent to workers that already run: pass what it captures as arguments after the callable, or use a snapshot_pool
// A lambda with captures does not travel; the same lambda with an argument does.
#include <forkful/process_pool.hpp>

std::vector<int> run_slice(forkful::process_pool& pool, const std::vector<int>& input, int forks) {
#ifdef CONTROL
  return pool.map(input, [](int slice, int with) { return slice * with; }, forks);
#else
  return pool.map(input, [&forks](int slice) { return slice * forks; });
#endif
}
