// {fmt}, compiled once with the library (fmt.cpp) instead of in each file, and under an inline namespace of our own: a program may use
// another version of it. The only file that includes fmt/format.h; other headers of {fmt} come after this one.
#pragma once

#ifdef FMT_VERSION
#error "include format/fmt.hpp before other headers of {fmt}: it gives them their namespace"
#endif
#define FMT_BEGIN_NAMESPACE \
  namespace fmt {           \
  inline namespace of_forkful {
#define FMT_END_NAMESPACE \
  }                       \
  }

#include <fmt/format.h>  // IWYU pragma: export
