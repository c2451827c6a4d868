// What the kernel has counted for this process. Owns nothing. A system call each: 0.3 to 1 us.
#pragma once

#include <cstdint>

namespace forkful::detail {

struct account {
  std::uint64_t page_faults = 0;  // since it was born, minor and major, of all threads
  std::uint64_t peak_memory = 0;  // most bytes it ever had resident, shared pages included
};

account read_account() noexcept;

}  // namespace forkful::detail
