#include "names/modules.hpp"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace forkful::detail {

std::uint64_t digest(std::span<const std::byte> bytes) noexcept {
  std::uint64_t sum = 14695981039346656037U;  // FNV-1a
  for (const std::byte byte : bytes) sum = (sum ^ static_cast<unsigned char>(byte)) * 1099511628211U;
  return sum;
}

std::uint64_t build_in_notes(std::span<const std::byte> notes) noexcept {
  constexpr auto padded = [](std::size_t size) { return (size + 3) / 4 * 4; };
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes.data(), sizeof note);
    const std::size_t name = sizeof note;
    const std::size_t content = name + padded(note.n_namesz);
    const std::size_t end = content + padded(note.n_descsz);
    if (end > notes.size()) return 0;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(notes.data() + name, "GNU", 4) == 0)
      return digest(notes.subspan(content, note.n_descsz));
    notes = notes.subspan(end);
  }
  return 0;
}

// dl_iterate_phdr, as far as needed here.
struct look {
  static modules::counts counts_of(const dl_phdr_info& info, std::size_t size) {
    if (size < offsetof(dl_phdr_info, dlpi_subs) + sizeof(info.dlpi_subs)) return {};
    return {info.dlpi_adds, info.dlpi_subs};
  }

  // Of the whole process: any module's entry has them.
  static modules::counts counts_now() {
    modules::counts now;
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t size, void* out) {
          *static_cast<modules::counts*>(out) = counts_of(*info, size);
          return 1;
        },
        &now);
    return now;
  }

  static modules::module module_of(const dl_phdr_info& info) {
    modules::module one{UINTPTR_MAX, 0, 0};
    for (unsigned i = 0; i != info.dlpi_phnum; ++i) {
      const ElfW(Phdr)& segment = info.dlpi_phdr[i];
      const std::uintptr_t begin = info.dlpi_addr + segment.p_vaddr;
      if (segment.p_type == PT_LOAD) {
        one.first = std::min(one.first, begin);
        one.last = std::max(one.last, begin + segment.p_memsz);
      } else if (segment.p_type == PT_NOTE && one.build == 0) {
        one.build = build_in_notes({reinterpret_cast<const std::byte*>(begin), segment.p_memsz});
      }
    }
    return one;
  }

  static const modules::module* holder(const modules& where, std::uintptr_t address) {
    const auto found = std::find_if(where.all_.begin(), where.all_.end(), [&](const modules::module& one) {
      return address >= one.first && address < one.last;
    });
    return found == where.all_.end() ? nullptr : &*found;
  }
};

std::vector<const char*> loaded_module::files() const {
  if (!path.empty()) return {path.c_str()};
  const auto* const started = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  return {"/proc/self/exe", started == nullptr ? "" : started};
}

loaded_module module_at(std::uintptr_t address) {
  struct search {
    std::uintptr_t address;
    loaded_module found;
  } one{address, {}};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        auto& wanted = *static_cast<search*>(out);
        const auto here = look::module_of(*info);
        if (wanted.address < here.first || wanted.address >= here.last) return 0;
        wanted.found = {{}, info->dlpi_addr, here.build, true};
        try {
          wanted.found.path = info->dlpi_name;
        } catch (...) {
          wanted.found.found = false;  // no memory for the name
        }
        return 1;
      },
      &one);
  return std::move(one.found);
}

bool wholly_static() noexcept {
  const auto needs_loader = [](dl_phdr_info* info, std::size_t, void*) {
    const std::span segments(info->dlpi_phdr, info->dlpi_phnum);
    return std::any_of(segments.begin(), segments.end(), [](const ElfW(Phdr) & one) { return one.p_type == PT_INTERP; })
               ? 1
               : 0;
  };
  return ::dl_iterate_phdr(needs_loader, nullptr) == 0;
}

modules modules::loaded() {
  modules now;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t size, void* out) {
        auto& all = *static_cast<modules*>(out);
        all.at_ = look::counts_of(*info, size);
        try {
          all.all_.push_back(look::module_of(*info));
        } catch (...) {
          return 1;  // no memory: what is missing here is taken to be new, which costs time and nothing else
        }
        return 0;
      },
      &now);
  return now;
}

bool modules::known(const void* code) const {
  if (code == nullptr) return true;
  const counts now = look::counts_now();
  if (now == at_) return true;
  const auto address = reinterpret_cast<std::uintptr_t>(code);
  const module* const then = look::holder(*this, address);
  // Nothing was unloaded, so whatever was there then is there now.
  if (then != nullptr && now.unloads == at_.unloads) return true;
  const modules present = loaded();
  const module* const holds = look::holder(present, address);
  if (holds == nullptr) return true;
  // Perhaps another module in its place: the same only if it lies alike and was built alike.
  return then != nullptr && then->first == holds->first && then->build == holds->build && then->build != 0;
}

}  // namespace forkful::detail
