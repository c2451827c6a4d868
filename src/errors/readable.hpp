// Names of types and functions, as their authors write them.
#pragma once

#include <string>

namespace forkful::detail {

// Demangled, without the inline namespaces of the standard library; what is not mangled as it is.
std::string readable(const char* mangled);

}  // namespace forkful::detail
