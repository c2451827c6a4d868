// expect: the callable cannot be called with (slice, const args&...)
// A slice is a string here, and the callable wants a number.
#include <forkful/process_pool.hpp>

#ifdef CONTROL
using text = int;
#else
using text = std::string;
#endif

std::vector<int> all(forkful::process_pool& pool, const std::vector<text>& texts) {
  return pool.map(texts, [](int x) { return x + 1; });
}
