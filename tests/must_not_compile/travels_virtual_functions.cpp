// expect: it has virtual functions, so that an object of it may be a part of one of another class
// A class hierarchy travels as its alternatives.
#include <forkful/codec.hpp>
#include <variant>

#ifdef CONTROL
struct sponge {
  int layers = 1;
};
struct tart {
  double filling = 1;
};
using item = std::variant<sponge, tart>;
#else
struct item {
  virtual ~item() = default;
  virtual int layers() const { return 1; }
};
#endif

void send(forkful::sink& out, const std::vector<item>& values) { out.write(values); }
