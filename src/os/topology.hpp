// The cores of this machine, as hwloc sees them, and pinning a process to one. Owns nothing.
#pragma once

#include <sched.h>

#include <vector>

namespace forkful::detail {

// For each core that this process may use, the CPUs of it that it may use (two where a core runs two threads); neighbours share
// caches. At least one. CPUs from 1024 on are left out. Throws start_failed. Cost: some milliseconds.
std::vector<cpu_set_t> usable_cores();

// Keeps this process on these CPUs. False if the system refuses.
bool pin_to(const cpu_set_t&) noexcept;

}  // namespace forkful::detail
