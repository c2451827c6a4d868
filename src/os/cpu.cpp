#include "os/cpu.hpp"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

#include "format/fmt.hpp"

namespace forkful::detail {

namespace {

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

// Our own cgroup's folder below the mount point of `controller` (empty for v2); containers usually see it as the root.
std::string cgroup_folder(const std::string& controller) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? names.empty() : names.find(controller) != std::string::npos)
      return line.substr(second + 1);
  }
  return "/";
}

std::optional<double> quota_of(const std::string& quota, const std::string& period) {
  if (quota == "max") return std::nullopt;
  const double allowed = std::strtod(quota.c_str(), nullptr);
  const double each = std::strtod(period.c_str(), nullptr);
  if (allowed <= 0 || each <= 0) return std::nullopt;
  return allowed / each;
}

// The smallest quota on the way from our cgroup up to the root, in CPUs.
std::optional<double> cgroup_cpus() {
  std::optional<double> smallest;
  const auto consider = [&](std::optional<double> cpus) {
    if (cpus && (!smallest || *cpus < *smallest)) smallest = cpus;
  };
  for (std::string folder = cgroup_folder("");; folder = folder.substr(0, folder.rfind('/'))) {
    if (const auto line = first_line(fmt::format("/sys/fs/cgroup{}/cpu.max", folder))) {
      const auto space = line->find(' ');
      if (space != std::string::npos) consider(quota_of(line->substr(0, space), line->substr(space + 1)));
    }
    if (folder.empty() || folder == "/") break;
  }
  for (const auto& folder : {cgroup_folder("cpu"), std::string()}) {
    const auto quota = first_line(fmt::format("/sys/fs/cgroup/cpu{}/cpu.cfs_quota_us", folder));
    const auto period = first_line(fmt::format("/sys/fs/cgroup/cpu{}/cpu.cfs_period_us", folder));
    if (quota && period) consider(quota_of(*quota, *period));
  }
  return smallest;
}

}  // namespace

unsigned online_cpus() noexcept { return static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN))); }

std::size_t own_cache() noexcept {
  const long bytes = ::sysconf(_SC_LEVEL2_CACHE_SIZE);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : std::size_t{1} << 20;
}

unsigned affinity_cpus() noexcept {
  unsigned cpus = 1;
  // The mask of machines with more CPUs than cpu_set_t holds needs a larger set: double it until the kernel is content.
  for (int room = 1024; room <= 1 << 20; room *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(room));
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(room));
    const bool known = ::sched_getaffinity(0, bytes, set) == 0;
    if (known) cpus = static_cast<unsigned>(std::max(1, CPU_COUNT_S(bytes, set)));
    CPU_FREE(set);
    if (known) break;
  }
  return cpus;
}

double cpu_quota() noexcept {
  try {
    return cgroup_cpus().value_or(0);
  } catch (...) {
    return 0;  // no memory to read the quota with: the affinity mask alone is still a true upper bound
  }
}

unsigned usable_cpus() noexcept {
  const unsigned cpus = affinity_cpus();
  const double quota = cpu_quota();
  return quota > 0 ? std::min(cpus, static_cast<unsigned>(std::max(1.0, std::ceil(quota)))) : cpus;
}

bool let_others_run() noexcept {
  constexpr std::uint64_t idle_ns = 2'000;  // a yield to no process takes well under a microsecond
  const std::uint64_t began = now_ns();
  ::sched_yield();
  return now_ns() - began > idle_ns;
}

}  // namespace forkful::detail
