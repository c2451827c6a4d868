// What a module's debug information says about an address: the functions that were inlined there, and the lines. Read by
// libdw, from the module's file or its separate debug file under /usr/lib/debug; nothing is ever fetched from a network.
//
// Owns libdw's view of the modules asked about, one for each, and never closes it: opening one takes milliseconds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "names/libdw.hpp"
#include "names/modules.hpp"

namespace forkful::detail {

// A function that an address lies in, itself or inlined.
struct debug_frame {
  std::string symbol;  // mangled; empty where the debug information has none, which is so for what is static
  std::string name;    // with the namespaces and classes it is in if they are known (not with -g1), without parameters
  std::uintptr_t entry = 0;  // where its code begins; 0: it is inlined
  std::string file;          // with its folders; empty: not known
  int line = 0;
};

class debug_info {
 public:
  // Loads libdw, if it can be had.
  debug_info() : dw_(libdw::load()) {}

  // Innermost first, the last one not inlined. Empty: there is no debug information, no libdw, or little memory left. Where
  // memory ran out in libdw it stays empty, for what that was doing can neither be taken up nor undone. Not thread-safe. Cost:
  // milliseconds for the first address in a module and in a translation unit, then about 0.1 ms.
  [[nodiscard]] std::vector<debug_frame> at(std::uintptr_t address, const loaded_module& where) noexcept;

 private:
  struct view;
  std::optional<libdw> dw_;
  std::map<std::tuple<std::string, std::uintptr_t, std::uint64_t>, std::shared_ptr<view>> views_;
};

}  // namespace forkful::detail
