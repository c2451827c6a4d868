// expect: forkful cannot see what its private members or union hold: give it a forkful::codec<T>
// A class with private members needs a codec.
#include <forkful/codec.hpp>

class slice {
 public:
  explicit slice(int n) : number_(n) {}
  int number() const { return number_; }

 private:
  int number_;
};

#ifdef CONTROL
template <>
struct forkful::codec<slice> {
  static void write(sink& out, const slice& value) { out.write(value.number()); }
  static slice read(source& in) { return slice(in.read<int>()); }
};
#endif

slice receive(forkful::source& in) { return in.read<slice>(); }
