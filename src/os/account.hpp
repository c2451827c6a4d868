// What the kernel has counted for this process. Owns nothing. A system call each: 0.3 to 1 us.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace forkful::detail {

struct account {
  std::uint64_t page_faults = 0;  // since it was born, minor and major, of all threads
  std::uint64_t peak_memory = 0;  // most bytes it ever had resident, shared pages included
  std::uint64_t cpu_ns = 0;       // CPU time of all threads, of the process itself and of the kernel for it
  std::uint64_t gave_up = 0;      // how often a thread gave up its core because it had to wait
  std::uint64_t lost = 0;         // how often the kernel gave a thread's core to another
};

account read_account() noexcept;

// Bytes of resident memory that can be shared with other processes: of files and of shared mappings. 0 if /proc does not say.
// Costs about 5 us.
std::uint64_t resident_shared() noexcept;

// Nanoseconds of CPU time that all threads of this process have had together; 0 if the system does not say.
std::uint64_t cpu_time() noexcept;
// ... and that children of this process, and theirs, had which have ended and were waited for.
std::uint64_t cpu_time_of_children() noexcept;
// Of the calling thread alone. Cost: a system call.
std::uint64_t cpu_time_of_thread() noexcept;

// Nanoseconds that the calling thread was ready to run while others had the cores; 0 if /proc does not say. Costs about 5 us.
std::uint64_t time_without_core() noexcept;

// Bytes of private memory that a process has for itself alone because it wrote to them. Of memory that it inherited by a fork,
// these are what was copied for it. 0 if /proc does not say. Costs about 2 us a mapping, and 10 ms a GB.
std::size_t private_copies(pid_t process) noexcept;

}  // namespace forkful::detail
