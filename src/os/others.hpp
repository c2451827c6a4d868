// How busy other processes keep the cores. Owns nothing. What /proc does not say counts as nothing.
#pragma once

#include <cstdint>

namespace forkful::detail {

// The threads that run or want to at this moment, the calling one not counted, for each core of the machine; at most 1. Cost: 10 us.
double others_running() noexcept;

// How much the cores were used by others, from when this is made.
class others_watch {
 public:
  others_watch() noexcept;
  // The share of all cores' time that was neither idle nor this process's or its ended children's (also a hypervisor's), but for what
  // the kernel's count in hundredths of a second may err by; or that the calling thread wanted a core and had none, if that is more.
  // From 0 to 1.
  [[nodiscard]] double share() const noexcept;

 private:
  std::uint64_t began_;
  std::uint64_t busy_;  // of all cores, ns
  std::uint64_t own_;
  std::uint64_t waited_;
};

}  // namespace forkful::detail
