// The symbols of a module: what every program has that was not stripped, also without debug information. Owns nothing.
#pragma once

#include <cstdint>
#include <string>

#include "names/modules.hpp"

namespace forkful::detail {

// The function an address of the module lies in, mangled: from its dynamic symbols, else from the full table of its file, which
// knows static functions and lambdas too. Empty: none. Cost: about a millisecond, as it reads the table.
std::string symbol_at(std::uintptr_t address, const loaded_module& where);

}  // namespace forkful::detail
