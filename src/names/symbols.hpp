// Names for addresses of code, as a person reads them: "run(std::string const&) at work.cpp:12".
//
// From the debug information if there is any, else from the dynamic symbols if the address lies within one, else from the full
// symbol table of the module's file (which knows static functions and lambdas too, unless it was stripped), else module and
// offset, as addr2line takes them. Owns what was named already.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace forkful::detail {

struct code_name {
  std::string text{};
  std::string place{};     // "work.cpp:12"; empty: not known
  bool system = false;     // of the C or C++ library, or a sanitizer: not where to look for a mistake
  bool ours = false;       // of forkful's own insides
  bool installed = false;  // from a header or source below /usr or /opt: a library's
  // Of ours, where there is no debug information: the user's callable that may be inlined in it.
  std::string callable{};
};

// In the same order; more than one for an address at which functions were inlined, innermost first. Thread-safe. Cost: some
// milliseconds at first, 0.3 us for an address that was named before.
std::vector<code_name> name_code(std::span<const std::uintptr_t> addresses);

}  // namespace forkful::detail
