#include "os/topology.hpp"

#include <hwloc.h>

#include <cerrno>
#include <memory>

#include "os/refused_call.hpp"

namespace forkful::detail {

std::vector<cpu_set_t> usable_cores() {
  cpu_set_t usable;
  if (::sched_getaffinity(0, sizeof usable, &usable) != 0) throw refused_call("sched_getaffinity", errno);
  hwloc_topology_t made = nullptr;
  if (::hwloc_topology_init(&made) != 0) throw refused_call("hwloc_topology_init", errno);
  const std::unique_ptr<hwloc_topology, decltype(&::hwloc_topology_destroy)> machine(made, &::hwloc_topology_destroy);
  if (::hwloc_topology_load(made) != 0) throw refused_call("hwloc_topology_load", errno);

  std::vector<cpu_set_t> cores;
  const int depth = ::hwloc_get_type_or_below_depth(made, HWLOC_OBJ_CORE);
  for (unsigned i = 0; i < ::hwloc_get_nbobjs_by_depth(made, depth); ++i) {
    hwloc_obj* const core = ::hwloc_get_obj_by_depth(made, depth, i);
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &usable) && ::hwloc_bitmap_isset(core->cpuset, cpu) != 0) CPU_SET(cpu, &cpus);
    }
    if (CPU_COUNT(&cpus) != 0) cores.push_back(cpus);
  }
  // What hwloc does not know (it may be set to read another machine's description): better together than nowhere.
  if (cores.empty()) cores.push_back(usable);
  return cores;
}

namespace {

// Which of several CPUs is the first; -1 where there are no two, or that is not known.
int first_of_several(cpu_set_t& usable) noexcept {
  if (::sched_getaffinity(0, sizeof usable, &usable) != 0 || CPU_COUNT(&usable) < 2) return -1;
  int cpu = 0;
  while (!CPU_ISSET(static_cast<std::size_t>(cpu), &usable)) ++cpu;
  return cpu;
}

}  // namespace

on_first_cpu::on_first_cpu() noexcept {
  const int first = first_of_several(before_);
  if (first < 0) return;
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(static_cast<std::size_t>(first), &only);
  known_ = pin_to(only);
}

on_first_cpu::~on_first_cpu() {
  if (known_) pin_to(before_);
}

void keep_off_first_cpu() noexcept {
  cpu_set_t others;
  const int first = first_of_several(others);
  if (first < 0) return;
  CPU_CLR(static_cast<std::size_t>(first), &others);
  pin_to(others);
}

bool pin_to(const cpu_set_t& cpus) noexcept { return ::sched_setaffinity(0, sizeof cpus, &cpus) == 0; }

}  // namespace forkful::detail
