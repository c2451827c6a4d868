// How much memory this process holds, and how much of it is its own.
#pragma once

#include <cstddef>

namespace tour {

/// Bytes of memory this process has in use, shared ones included; 0 if the
/// kernel does not say.
std::size_t resident_bytes();

/// Bytes that belong to this process alone: in a fork, the pages it wrote
/// to and which the kernel therefore copied or made. Takes about 1 ms.
std::size_t own_bytes();

}  // namespace tour
