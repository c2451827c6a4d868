// expect: forkful: map_into writes results where workers can reach them: give it a forkful::shared_vector or a span of one, or use map
// Results in place need a place that workers share.
#include <forkful/process_pool.hpp>

#ifdef CONTROL
using plates = forkful::shared_vector<int>;
#else
using plates = std::vector<int>;
#endif

void run_slice(forkful::process_pool& pool, const std::vector<int>& input, plates& out) {
  pool.map_into(out, input, [](int slice) { return slice; });
}
