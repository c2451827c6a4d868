// expect: forkful: by_value needs captures that are plain values (numbers, structs of numbers): pass strings and containers as arguments after the callable
// A promise about captures is checked as far as it can be.
#include <forkful/process_pool.hpp>

#ifdef CONTROL
using capture = double;
#else
using capture = std::string;
#endif

auto promise(capture what) {
  return forkful::by_value([what](int slice) { return slice + static_cast<int>(sizeof(what)); });
}
