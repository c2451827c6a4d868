#include "cliff.hpp"

#include <algorithm>
#include <utility>

#include "format/fmt.hpp"

namespace forkful_bench {

std::vector<cliff> cliffs_of(const series& line, double times) {
  std::vector<cliff> found;
  for (std::size_t i = 1; i < line.points.size(); ++i) {
    const auto& [x0, y0] = line.points[i - 1];
    const auto& [x1, y1] = line.points[i];
    if (y0 > 0 && y1 > times * y0) found.push_back({x1, x0, y1 / y0});
  }
  return found;
}

std::string cliffs_in_words(const growth& curves, double times) {
  std::string words;
  for (const series& line : curves.lines) {
    if (line.points.size() < 2) continue;
    words += (words.empty() ? "" : "; ") + line.name + ":";
    const std::vector<cliff> all = cliffs_of(line, times);
    if (all.empty()) words += " no cliff";
    for (const cliff& each : all)
      words += fmt::format("{} {} at {} after {}", &each == &all.front() ? "" : ",", quantity(each.times, "x"),
                           quantity(each.at, curves.x_unit), quantity(each.before, curves.x_unit));
  }
  return words;
}

goal no_cliff(std::string line, double times) {
  return {
      fmt::format("{}: no point costs more than {:g} x its neighbour below per unit; the steepest step", line, times),
      times, [line](const row& of) -> std::optional<double> {
        for (const series& each : of.curves.lines) {
          if (each.name != line || each.points.size() < 2) continue;
          double steepest = 0;
          for (const cliff& step : cliffs_of(each, 0)) steepest = std::max(steepest, step.times);
          return steepest;
        }
        return {};
      }};
}

}  // namespace forkful_bench
