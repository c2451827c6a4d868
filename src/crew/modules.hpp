// The code a process had loaded at some moment: the program, its shared libraries, what dlopen brought.
//
// Workers have what their process had when they were started. A callable that came later does not exist in them, though its
// address may; this tells such a callable before it is sent. Owns a list of address ranges.
#pragma once

#include <cstdint>
#include <vector>

namespace forkful::detail {

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
