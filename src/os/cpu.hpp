// The processors this process may use, and the pause of a spinning loop. Owns nothing.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <forkful/detail/clock.hpp>
#include <span>

namespace forkful::detail {

// CPUs this process may use: the affinity mask, bounded by the cgroup quota (v2 cpu.max, v1 cfs) rounded up. At least 1.
[[gnu::visibility("default")]] unsigned usable_cpus() noexcept;
// What that is made of: CPUs of the affinity mask, and the quota in CPUs (1.5: half of the time on the second); 0 if there is none.
unsigned affinity_cpus() noexcept;
double cpu_quota() noexcept;
// CPUs of the machine, whether this process may use them or not.
unsigned online_cpus() noexcept;

// Bytes of the cache that a core has for itself: of the second level; a megabyte if the system does not say.
std::size_t own_cache() noexcept;

// Lets the core know that this is a spinning loop.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Puts memory back to where all memory is, out of every core's caches: the next reader finds it as in data too large for them.
// Does nothing on processors for which no way is known.
inline void leave_caches(std::span<const std::byte> bytes) noexcept {
  constexpr std::size_t line = 64;
  for (std::size_t i = 0; i < bytes.size(); i += line) {
#if defined(__x86_64__)
    __builtin_ia32_clflush(&bytes[i]);
#elif defined(__aarch64__)
    asm volatile("dc civac, %0" ::"r"(&bytes[i]) : "memory");
#endif
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

// Lets another process of this core go first: two processes that wait for each other by spinning may share it.
// True if there was one (judged by the time it took).
bool let_others_run() noexcept;

}  // namespace forkful::detail
