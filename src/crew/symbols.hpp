// Names for addresses of code, as a person reads them. Owns nothing.
//
// From the dynamic symbols if the address lies within one, else from the full symbol table of the module's file (which knows
// static functions and lambdas too, unless it was stripped), else module and offset, as addr2line takes them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace forkful::detail {

struct code_name {
  std::string text;
  bool system = false;  // of the C or C++ library, or a sanitizer: not where to look for a mistake
};

// One for each address. Cost: reads the symbol tables of the modules concerned, about a millisecond.
std::vector<code_name> name_code(std::span<const std::uintptr_t> addresses);

}  // namespace forkful::detail
