// expect: a pointer to characters cannot travel to another process, where its text is not: use std::string
// {"a", "b"} is a list of pointers.
#include <forkful/process_pool.hpp>

std::size_t length(std::string_view text) { return text.size(); }

std::vector<std::size_t> all(forkful::process_pool& pool) {
#ifdef CONTROL
  return pool.map(std::vector<std::string>{"a", "b"}, length);
#else
  return pool.map({"a", "b"}, length);
#endif
}
