#include "race/noise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace race {

namespace {

constexpr double busy_from = 0.5;    // how many wanted a CPU, on average
constexpr double noisy_from = 0.15;  // the middle half of the rounds, as a part of the median

}  // namespace

std::string others_at_work() {
  std::array<double, 1> load{};  // of the last minute
  if (getloadavg(load.data(), 1) != 1 || load[0] < busy_from) return {};
  return fmt::format("others were at work in the minute before (load {:.1f})", load[0]);
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
