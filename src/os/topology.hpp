// The cores of this machine, as hwloc sees them, and pinning a process to one. Owns nothing.
#pragma once

#include <sched.h>

#include <vector>

namespace forkful::detail {

// For each core that this process may use, the CPUs of it that it may use (two where a core runs two threads); neighbours share
// caches. At least one. CPUs from 1024 on are left out. Throws refused_call. Cost: some milliseconds.
std::vector<cpu_set_t> usable_cores();

// Keeps this process on these CPUs. False if the system refuses.
bool pin_to(const cpu_set_t&) noexcept;

// Two processes that are to run at the same time, and surely not on the same core: one keeps to the first CPU that it
// may use, for the scope of an on_first_cpu, the other keeps off it for good. Nothing where there is only one, or the
// system refuses.
class on_first_cpu {
 public:
  on_first_cpu() noexcept;
  on_first_cpu(const on_first_cpu&) = delete;
  on_first_cpu& operator=(const on_first_cpu&) = delete;
  ~on_first_cpu();

 private:
  cpu_set_t before_{};
  bool known_ = false;
};
void keep_off_first_cpu() noexcept;

}  // namespace forkful::detail
