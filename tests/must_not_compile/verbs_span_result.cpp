// expect: std::vector<T> instead of std::span<T>
// On a snapshot_pool too: results have to travel back.
#include <forkful/snapshot_pool.hpp>

#ifdef CONTROL
using part = std::vector<int>;
#else
using part = std::span<const int>;
#endif

void run_slice(forkful::snapshot_pool& pool, const std::vector<int>& input) {
  (void)pool.map(forkful::slices(input, 3),
                 [](std::span<const int> slice) { return part(slice.begin(), slice.end()); });
}
