// expect: forkful: a result must own its data: return std::string instead of std::string_view
// A view of what the worker read does not outlive the slice.
#include <forkful/process_pool.hpp>

#ifdef CONTROL
using part = std::string;
#else
using part = std::string_view;
#endif

void run_slice(forkful::process_pool& pool, const std::vector<std::string>& words) {
  (void)pool.map(words, [](std::string_view word) { return part(word.substr(0, 1)); });
}
