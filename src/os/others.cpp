#include "os/others.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "os/account.hpp"
#include "os/cpu.hpp"
#include "os/small_file.hpp"

namespace forkful::detail {

namespace {

constexpr std::uint64_t second = 1'000'000'000;

std::uint64_t tick_ns() noexcept {
  const long ticks = ::sysconf(_SC_CLK_TCK);
  return ticks > 0 ? second / static_cast<std::uint64_t>(ticks) : second / 100;
}

// Of all cores, since the machine booted.
std::uint64_t busy_ns() noexcept {
  try {
    // "cpu  user nice system idle iowait irq softirq steal ..."; of the first line alone.
    const std::string all = read_small_file("/proc/stat");
    if (!all.starts_with("cpu ")) return 0;
    std::array<std::uint64_t, 8> ticks{};
    const char* at = all.c_str() + 4;
    for (std::uint64_t& each : ticks) {
      char* end = nullptr;
      each = std::strtoull(at, &end, 10);
      at = end;
    }
    return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) * tick_ns();
  } catch (...) {
    return 0;  // no memory to read it with
  }
}

std::uint64_t own_ns() noexcept { return cpu_time() + cpu_time_of_children(); }

}  // namespace

double others_running() noexcept {
  try {
    // "0.20 0.18 0.12 1/80 11206": the fourth is running/all.
    const std::string load = read_small_file("/proc/loadavg");
    const std::size_t slash = load.find('/');
    if (slash == std::string::npos) return 0;
    const std::size_t begin = load.rfind(' ', slash);
    const double running = std::strtod(load.c_str() + (begin == std::string::npos ? 0 : begin), nullptr);
    return std::clamp((running - 1) / online_cpus(), 0.0, 1.0);
  } catch (...) {
    return 0;  // no memory to read it with
  }
}

others_watch::others_watch() noexcept
    : began_(now_ns()), busy_(busy_ns()), own_(own_ns()), waited_(time_without_core()) {}

double others_watch::share() const noexcept {
  const auto passed = static_cast<double>(std::max<std::uint64_t>(now_ns() - began_, 1));
  const double cores = online_cpus();
  const auto grown = [](std::uint64_t now, std::uint64_t before) {
    return static_cast<double>(now - std::min(now, before));
  };
  // Each core may be taken for busy a tick too long.
  const double error = cores * static_cast<double>(tick_ns());
  const double others = grown(busy_ns(), busy_) - grown(own_ns(), own_) - error;
  return std::clamp(std::max(others / cores, grown(time_without_core(), waited_)) / passed, 0.0, 1.0);
}

}  // namespace forkful::detail
