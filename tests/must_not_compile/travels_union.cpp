// expect: set forkful::enable_bitwise<T> to true
// No code can see which member of a union is alive; its bytes travel when its author says that they may.
#include <forkful/codec.hpp>

union slice {
  int number;
  float size;
};

#ifdef CONTROL
template <>
inline constexpr bool forkful::enable_bitwise<slice> = true;
#endif

void send(forkful::sink& out, const std::vector<slice>& values) { out.write(values); }
