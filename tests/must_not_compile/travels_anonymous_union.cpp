// expect: it has a union among its members, and forkful cannot see which of its members is alive
// A struct with an anonymous union beside a tag, as C programs have it.
#include <forkful/codec.hpp>

struct slice {
  int kind;
  union {
    int number;
    float size;
  };
};

#ifdef CONTROL
template <>
inline constexpr bool forkful::enable_bitwise<slice> = true;
#endif

void send(forkful::sink& out, const std::vector<slice>& values) { out.write(values); }
