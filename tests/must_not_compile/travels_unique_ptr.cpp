// expect: it has a raw pointer or reference member, or owns through a pointer, and what that points at stays behind
// A smart pointer does not travel; a vector or an optional does.
#include <forkful/codec.hpp>
#include <memory>

#ifdef CONTROL
using owner = std::optional<int>;
#else
using owner = std::unique_ptr<int>;
#endif

void send(forkful::sink& out, const owner& value) { out.write(value); }
