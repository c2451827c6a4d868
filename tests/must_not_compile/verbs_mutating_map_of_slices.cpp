// expect: forkful: this callable changes its slices, but they lie in ordinary memory
// map too refuses to change what a span points at.
#include <forkful/process_pool.hpp>

#ifdef CONTROL
using view = std::span<const double>;
#else
using view = std::span<double>;
#endif

void run_slice(forkful::process_pool& pool, std::vector<double>& whole) {
  (void)pool.map(forkful::slices(whole, 4), [](view slice) { return slice.size(); });
}
