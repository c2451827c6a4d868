// The processors this process may use, the clock, and the pause of a spinning loop. Owns nothing.
#pragma once

#include <cstdint>

namespace forkful::detail {

// CPUs this process may use: the affinity mask, bounded by the cgroup quota (v2 cpu.max, v1 cfs) rounded up. At least 1.
unsigned usable_cpus() noexcept;

// Monotonic nanoseconds, the same clock in every process of this machine.
std::uint64_t now_ns() noexcept;

// Tells the core that this is a spinning loop.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Lets another process of this core go first: two that wait for each other by spinning may have been put on the same one.
// True if there was one (judged by the time it took).
bool let_others_run() noexcept;

}  // namespace forkful::detail
