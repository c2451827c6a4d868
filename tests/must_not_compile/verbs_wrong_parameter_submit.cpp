// expect: the callable cannot be called with (slice, const args&...)
// submit has no slice, only arguments.
#include <forkful/process_pool.hpp>

void one(forkful::process_pool& pool) {
#ifdef CONTROL
  auto call = pool.submit([](const std::string& text) { return text.size(); }, "input");
#else
  auto call = pool.submit([](const std::string& text) { return text.size(); }, 5);
#endif
}
