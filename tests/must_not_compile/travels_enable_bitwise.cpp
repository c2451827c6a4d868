// expect: enable_bitwise<T> needs a trivially copyable T
// The promise that a type's bytes may be copied is checked as far as it can be.
#include <forkful/codec.hpp>

class slice {
#ifdef CONTROL
  char name_[16] = {};
#else
  std::string name_;
#endif
};

template <>
inline constexpr bool forkful::enable_bitwise<slice> = true;

void send(forkful::sink& out, const slice& value) { out.write(value); }
