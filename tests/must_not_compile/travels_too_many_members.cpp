// expect: it has more than 32 members, or members that cannot be counted: group them into structs
// 33 members are one too many; two structs of them are fine.
#include <forkful/codec.hpp>

struct half {
  int a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5;
};
#ifdef CONTROL
struct slice {
  half left, right;
  std::string name;
};
#else
struct slice {
  int a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2, c3, c4, c5, c6, c7,
      c8, c9, d0, d1;
  std::string name;
};
#endif

void send(forkful::sink& out, const slice& value) { out.write(value); }
