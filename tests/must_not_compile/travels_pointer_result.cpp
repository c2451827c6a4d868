// expect: a result must own its data
// A pointer is no result; the thing itself is.
#include <forkful/codec.hpp>

#ifdef CONTROL
using result = int;
#else
using result = const int*;
#endif

void check() { forkful::detail::require_result<result>(); }
