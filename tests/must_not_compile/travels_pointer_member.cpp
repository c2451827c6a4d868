// expect: it has a raw pointer or reference member, or owns through a pointer, and what that points at stays behind
// A struct with a pointer in it does not travel; one that holds the data itself does.
#include <forkful/codec.hpp>

struct slice {
  int number;
#ifdef CONTROL
  std::vector<double> values;
#else
  double* values;
#endif
};

void send(forkful::sink& out, const slice& value) { out.write(value); }
