#include "os/account.hpp"

#include <sys/resource.h>
#include <time.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "os/small_file.hpp"

namespace forkful::detail {

namespace {

std::uint64_t in_ns(const timeval& time) noexcept {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_usec) * 1'000;
}

std::uint64_t in_ns(clockid_t clock) noexcept {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

account read_account() noexcept {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) != 0) return {};
  return {static_cast<std::uint64_t>(used.ru_minflt) + static_cast<std::uint64_t>(used.ru_majflt),
          static_cast<std::uint64_t>(used.ru_maxrss) * 1024, in_ns(used.ru_utime) + in_ns(used.ru_stime),
          static_cast<std::uint64_t>(used.ru_nvcsw), static_cast<std::uint64_t>(used.ru_nivcsw)};
}

std::uint64_t resident_shared() noexcept {
  try {
    // "size resident shared ...", in pages.
    const std::string sizes = read_small_file("/proc/self/statm");
    std::size_t at = sizes.find(' ');
    if (at != std::string::npos) at = sizes.find(' ', at + 1);
    if (at == std::string::npos) return 0;
    return std::strtoull(sizes.c_str() + at, nullptr, 10) * 4096;
  } catch (...) {
    return 0;  // no memory to read it with
  }
}

std::uint64_t cpu_time() noexcept { return in_ns(CLOCK_PROCESS_CPUTIME_ID); }

std::uint64_t cpu_time_of_children() noexcept {
  rusage used{};
  return ::getrusage(RUSAGE_CHILDREN, &used) == 0 ? in_ns(used.ru_utime) + in_ns(used.ru_stime) : 0;
}

std::uint64_t cpu_time_of_thread() noexcept { return in_ns(CLOCK_THREAD_CPUTIME_ID); }

std::uint64_t time_without_core() noexcept {
  try {
    // "time on a core, time waiting for one, turns", in ns.
    const std::string times = read_small_file("/proc/thread-self/schedstat");
    const std::size_t space = times.find(' ');
    return space == std::string::npos ? 0 : std::strtoull(times.c_str() + space, nullptr, 10);
  } catch (...) {
    return 0;  // no memory to read it with
  }
}

std::size_t private_copies(pid_t process) noexcept {
  try {
    std::ifstream maps("/proc/" + std::to_string(process) + "/smaps");
    std::size_t kilobytes = 0;
    bool is_private = false;
    for (std::string line; std::getline(maps, line);) {
      if (line.starts_with("Private_Dirty:")) {
        if (is_private) kilobytes += std::strtoull(line.c_str() + 14, nullptr, 10);
      } else if (const auto space = line.find(' '); space != std::string::npos && line.find(':') > space) {
        is_private = line.size() > space + 4 && line[space + 4] == 'p';  // "7f00-7fff rw-p ..."
      }
    }
    return kilobytes * 1024;
  } catch (...) {
    return 0;  // no memory to read it with
  }
}

}  // namespace forkful::detail
