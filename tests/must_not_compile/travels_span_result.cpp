// expect: std::vector<T> instead of std::span<T>
// A span is no result; a vector is.
#include <forkful/codec.hpp>

#ifdef CONTROL
using result = std::vector<int>;
#else
using result = std::span<const int>;
#endif

void check() { forkful::detail::require_result<result>(); }
