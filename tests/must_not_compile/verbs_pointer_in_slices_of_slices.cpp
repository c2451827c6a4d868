// expect: it has a raw pointer or reference member, or owns through a pointer, and what that points at stays behind
// Nor can spans of them.
#include <forkful/process_pool.hpp>
#include <memory>

#ifdef CONTROL
using plate = std::optional<int>;
#else
using plate = std::unique_ptr<int>;
#endif

void run_slice(forkful::process_pool& pool, const std::vector<plate>& plates) {
  pool.for_each(forkful::slices(plates, 4), [](std::span<const plate>) {});
}
