// expect: it has a raw pointer or reference member, or owns through a pointer, and what that points at stays behind
// A reference is found deep inside containers, too.
#include <forkful/codec.hpp>

struct slice {
#ifdef CONTROL
  int number;
#else
  int& number;
#endif
};
struct plate {
  std::vector<std::pair<int, std::optional<slice>>> slices;
};

plate receive(forkful::source& in) { return in.read<plate>(); }
