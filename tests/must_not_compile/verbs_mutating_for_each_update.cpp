// expect: or use update(), which copies the changed slices back
// The other way out of the same refusal.
#include <forkful/process_pool.hpp>

void run_slice(forkful::process_pool& pool, std::vector<std::string>& slices) {
#ifdef CONTROL
  pool.update(slices, [](std::string& slice) { slice += "!"; });
#else
  pool.for_each(slices, [](std::string& slice) { slice += "!"; });
#endif
}
