// expect: codec<T> is not complete: it needs static void write(forkful::sink&, const T&) and static T read(forkful::source&)
// Half a codec is none.
#include <forkful/codec.hpp>

class slice {
 public:
  int number() const { return number_; }

 private:
  int number_ = 0;
};

template <>
struct forkful::codec<slice> {
  static void write(sink& out, const slice& value) { out.write(value.number()); }
#ifdef CONTROL
  static slice read(source& in) {
    in.skip<int>();
    return {};
  }
#endif
};

void send(forkful::sink& out, const slice& value) { out.write(value); }
