// expect: it has a union among its members, and forkful cannot see which of its members is alive
// A vector whose coordinates have names and numbers, beside a string: its bytes cannot be copied, so that its members would be listed.
#include <forkful/codec.hpp>

struct point {
  float x, y;
};
struct slice {
  std::string name;
  union {
    point at;
    float coordinates[2];
  };
};

#ifdef CONTROL
template <>
struct forkful::codec<slice> {
  static void write(sink& out, const slice& value) {
    out.write(value.name);
    out.write(value.coordinates);
  }
  static slice read(source& in) {
    slice value{};
    value.name = in.read<std::string>();
    in.read_into(value.coordinates);
    return value;
  }
};
#endif

void send(forkful::sink& out, const std::vector<slice>& values) { out.write(values); }
