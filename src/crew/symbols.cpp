#include "crew/symbols.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "os/file_view.hpp"

namespace forkful::detail {

namespace {

// Reads a T at an offset of a file that may be anything. False: it does not lie inside.
template <class T>
bool read_at(std::span<const std::byte> file, std::uint64_t offset, T& value) {
  if (offset > file.size() || sizeof(T) > file.size() - offset) return false;
  std::memcpy(&value, file.data() + offset, sizeof(T));
  return true;
}

std::string text_at(std::span<const std::byte> file, std::uint64_t offset) {
  if (offset >= file.size()) return {};
  const auto* const first = reinterpret_cast<const char*>(file.data()) + offset;
  return {first, ::strnlen(first, file.size() - offset)};
}

// The function an address of the module lies in, by the file's full symbol table; empty if it has none.
std::string name_in_file(std::span<const std::byte> file, std::uintptr_t address) {
  ElfW(Ehdr) header{};
  if (!read_at(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_shentsize != sizeof(ElfW(Shdr))) {
    return {};
  }
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    ElfW(Shdr) section{};
    if (!read_at(file, header.e_shoff + i * sizeof section, section) || section.sh_type != SHT_SYMTAB) continue;
    ElfW(Shdr) strings{};
    if (!read_at(file, header.e_shoff + section.sh_link * sizeof strings, strings)) return {};
    ElfW(Sym) symbol{};
    for (std::uint64_t at = 0; at + sizeof symbol <= section.sh_size; at += sizeof symbol) {
      if (!read_at(file, section.sh_offset + at, symbol)) return {};
      if ((symbol.st_info & 0xf) == STT_FUNC && address >= symbol.st_value &&
          address - symbol.st_value < symbol.st_size) {
        return text_at(file, strings.sh_offset + symbol.st_name);
      }
    }
  }
  return {};
}

std::string readable(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> demangled{
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), &std::free};
  std::string text = demangled != nullptr ? demangled.get() : symbol;
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

bool is_system(std::string_view module) {
  constexpr std::array<std::string_view, 8> known{"libc.so",    "libstdc++.so", "libgcc_s.so", "ld-linux",
                                                  "linux-vdso", "libasan.so",   "libubsan.so", "libpthread.so"};
  for (const std::string_view prefix : known) {
    if (module.starts_with(prefix)) return true;
  }
  return false;
}

code_name name_one(std::uintptr_t address) {
  Dl_info about{};
  link_map* module = nullptr;
  auto* const code = reinterpret_cast<void*>(address);
  if (::dladdr1(code, &about, reinterpret_cast<void**>(&module), RTLD_DL_LINKMAP) == 0 || module == nullptr) {
    return {fmt::format("{:#x}", address), false};
  }
  // The program itself has no name there, and is found by its link even when it was moved.
  const bool program = *module->l_name == '\0';
  const std::string_view path = program || about.dli_fname == nullptr ? "" : about.dli_fname;
  const bool system = is_system(path.substr(path.rfind('/') + 1));

  const ElfW(Sym)* symbol = nullptr;
  std::string name;
  if (::dladdr1(code, &about, reinterpret_cast<void**>(const_cast<ElfW(Sym)**>(&symbol)), RTLD_DL_SYMENT) != 0 &&
      about.dli_sname != nullptr && symbol != nullptr &&
      address - reinterpret_cast<std::uintptr_t>(about.dli_saddr) < symbol->st_size) {
    name = about.dli_sname;
  } else {
    const file_view file(program ? "/proc/self/exe" : module->l_name);
    name = name_in_file(file.bytes(), address - module->l_addr);
  }
  if (!name.empty()) return {readable(name), system};
  const std::string_view shown = about.dli_fname == nullptr ? "" : about.dli_fname;
  return {fmt::format("{}+{:#x}", shown.substr(shown.rfind('/') + 1), address - module->l_addr), system};
}

}  // namespace

std::vector<code_name> name_code(std::span<const std::uintptr_t> addresses) {
  std::vector<code_name> names;
  for (const std::uintptr_t address : addresses) names.push_back(name_one(address));
  return names;
}

}  // namespace forkful::detail
