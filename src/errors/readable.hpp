// Names of types and functions, as the people who wrote them would.
#pragma once

#include <string>

namespace forkful::detail {

// Demangled, without the inline namespaces of the standard library; what is not mangled as it is.
std::string readable(const char* mangled);

}  // namespace forkful::detail
