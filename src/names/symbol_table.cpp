#include "names/symbol_table.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

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

// The digest of the build id in a file.
std::uint64_t build_in_file(std::span<const std::byte> file) {
  ElfW(Ehdr) header{};
  if (!read_at(file, 0, header) || header.e_phentsize != sizeof(ElfW(Phdr))) return 0;
  std::uint64_t build = 0;
  for (unsigned i = 0; i < header.e_phnum && build == 0; ++i) {
    ElfW(Phdr) segment{};
    if (!read_at(file, header.e_phoff + i * sizeof segment, segment)) return 0;
    if (segment.p_type != PT_NOTE || segment.p_offset > file.size()) continue;
    build = build_in_notes(file.subspan(segment.p_offset, std::min(segment.p_filesz, file.size() - segment.p_offset)));
  }
  return build;
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

}  // namespace

std::string symbol_at(std::uintptr_t address, const loaded_module& where) {
  Dl_info about{};
  const ElfW(Sym)* symbol = nullptr;
  if (::dladdr1(reinterpret_cast<void*>(address), &about, reinterpret_cast<void**>(const_cast<ElfW(Sym)**>(&symbol)),
                RTLD_DL_SYMENT) != 0 &&
      about.dli_sname != nullptr && symbol != nullptr &&
      address - reinterpret_cast<std::uintptr_t>(about.dli_saddr) < symbol->st_size) {
    return about.dli_sname;
  }
  for (const char* const path : where.files()) {
    const file_view file(path);
    // Another file may lie there by now.
    if (!file.bytes().empty() && build_in_file(file.bytes()) == where.build) {
      return name_in_file(file.bytes(), address - where.base);
    }
  }
  return {};
}

}  // namespace forkful::detail
