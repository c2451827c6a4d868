// How much memory this process holds.
#pragma once

#include <cstddef>

namespace tour {

/// Bytes of memory this process has in use, shared ones included; 0 if the
/// kernel does not say.
std::size_t resident_bytes();

}  // namespace tour
