// The code a process had loaded at some moment: the program, its shared libraries, what dlopen brought.
//
// Workers have what their process had when they were started. A callable that came later does not exist in them, though its
// address may; this detects such a callable before it is sent. Owns a list of address ranges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace forkful::detail {

// Distinguishes builds.
std::uint64_t digest(std::span<const std::byte>) noexcept;

// The digest of the build id among an ELF file's notes; 0: they hold none.
std::uint64_t build_in_notes(std::span<const std::byte> notes) noexcept;

// One module of this process, where it is now.
struct loaded_module {
  std::string path;         // of its file, as the loader knows it; empty: the program itself
  std::uintptr_t base = 0;  // how far it was moved from the addresses in its file
  std::uint64_t build = 0;  // digest of its build id; 0: it has none
  bool found = false;

  // Where its file may be.
  [[nodiscard]] std::vector<const char*> files() const;
};

// The module an address lies in.
loaded_module module_at(std::uintptr_t address);

// Whether the program was linked with -static: it cannot load modules.
bool wholly_static() noexcept;

class modules {
 public:
  // Takes stock of what is loaded now.
  static modules loaded();

  // Whether a process that had these modules finds at this address the code that is there now. True for null and for what no
  // module holds (made at run time), of which nothing is known. Cost: 30 ns while nothing was loaded or unloaded since, else
  // some microseconds.
  [[nodiscard]] bool known(const void* code) const;

 private:
  struct counts {
    unsigned long long loads = 0;
    unsigned long long unloads = 0;
    bool operator==(const counts&) const = default;
  };
  struct module {
    std::uintptr_t first = 0;  // the addresses its segments span
    std::uintptr_t last = 0;
    std::uint64_t build = 0;  // digest of its build id; 0: it has none
  };
  friend struct look;

  counts at_;
  std::vector<module> all_;
};

}  // namespace forkful::detail
