// The name of this machine, for errors that come back from another one.
#pragma once

#include <string>

namespace forkful::detail {

/// The kernel's name of this machine; empty if it has none. One system call.
std::string host_name();

}  // namespace forkful::detail
