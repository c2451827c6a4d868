#include "errors/readable.hpp"

#include <cxxabi.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

namespace forkful::detail {

std::string readable(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> demangled{abi::__cxa_demangle(mangled, nullptr, nullptr, &status),
                                                              &std::free};
  std::string text = demangled != nullptr ? demangled.get() : mangled;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> rewrites{{
      {"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string"},
      {"__cxx11::", ""},
      {"[abi:cxx11]", ""},
  }};
  for (const auto& [from, to] : rewrites) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

}  // namespace forkful::detail
