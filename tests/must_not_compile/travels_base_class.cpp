// expect: it has a base class, so forkful cannot see all of it: hold the base as a member
// A struct with a base does not travel; one with a member does.
#include <forkful/codec.hpp>

struct plate {
  std::string owner;
};
#ifdef CONTROL
struct slice {
  plate under;
  int number;
};
#else
struct slice : plate {
  int number;
};
#endif

slice receive(forkful::source& in) { return in.read<slice>(); }
