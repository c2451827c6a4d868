// expect: the callable cannot be called with (slice, const args&...)
// imap says it too.
#include <forkful/process_pool.hpp>

void all(forkful::process_pool& pool) {
#ifdef CONTROL
  for (auto x : pool.imap(std::vector<int>{1}, [](int i) { return i; })) static_cast<void>(x);
#else
  for (auto x : pool.imap(std::vector<int>{1}, [](const std::string& s) { return s.size(); })) static_cast<void>(x);
#endif
}
