// expect: a result must own its data: return std::string instead of std::string_view
// A result may not point at memory of the worker, not even inside a struct.
#include <forkful/codec.hpp>

struct finished {
#ifdef CONTROL
  std::string name;
#else
  std::string_view name;
#endif
};

void check() { forkful::detail::require_result<std::vector<finished>>(); }
