#include "race/noise.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "format/fmt.hpp"

namespace race {

namespace {

constexpr double busy_from = 0.3;    // CPUs
constexpr double noisy_from = 0.15;  // the middle half of the rounds, as a part of the median

/// Seconds that all CPUs together were not idle since the machine booted, those that a hypervisor used itself included; 0 if
/// the kernel does not say.
double busy_seconds() {
  std::ifstream stat("/proc/stat");
  std::string cpu;
  std::array<double, 8> ticks{};  // user, nice, system, idle, iowait, irq, softirq, steal
  stat >> cpu;
  for (double& each : ticks) stat >> each;
  if (!stat) return 0;
  return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

std::string others_at_work() {
  constexpr std::chrono::duration<double> watched = std::chrono::milliseconds(150);
  const double before = busy_seconds();
  std::this_thread::sleep_for(watched);
  const double busy = (busy_seconds() - before) / watched.count();
  return busy < busy_from ? "" : fmt::format("others kept {:.1f} CPUs busy just before", busy);
}

std::string noise_of(const outcome& race, const std::string& others) {
  double worst = 0;
  for (const lane& each : race.lanes) worst = std::max(worst, each.took.noise);
  std::string why;
  if (worst >= noisy_from) why = fmt::format("rounds of the same way differ by {:.0f} %", worst * 100);
  if (!others.empty()) why += (why.empty() ? "" : ", and ") + others;
  if (why.empty()) return {};
  return fmt::format("The machine is not quiet: {}. Race again when it is.", why);
}

}  // namespace race
