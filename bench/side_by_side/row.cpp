#include "row.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "format/fmt.hpp"

namespace forkful_bench {

namespace {

struct scale {
  double from;
  double by;
  const char* name;
};
constexpr std::array times{scale{1, 1, "s"}, scale{1e-3, 1e3, "ms"}, scale{1e-6, 1e6, "us"}, scale{0, 1e9, "ns"}};
constexpr std::array sizes{scale{1e9, 1e-9, "GB"}, scale{1e6, 1e-6, "MB"}, scale{1e3, 1e-3, "KB"}, scale{0, 1, "B"}};

std::string three_digits(double value) {
  const double size = std::abs(value);
  return size >= 99.95 || size == 0 ? fmt::format("{:.0f}", value)
         : size >= 9.995            ? fmt::format("{:.1f}", value)
         : size >= 0.1              ? fmt::format("{:.2f}", value)
                                    : fmt::format("{:.3g}", value);
}

std::string scaled(double value, const std::array<scale, 4>& scales) {
  for (const scale& each : scales)
    if (std::abs(value) >= each.from * 0.9995) return three_digits(value * each.by) + " " + each.name;
  return {};
}

std::string lines_of(const growth& curves) {
  std::string text;
  if (curves.lines.empty()) return text;
  text += fmt::format("    {} by {}:\n", curves.y, curves.x);
  for (const series& line : curves.lines) {
    text += fmt::format("      {}:", line.name);
    for (const auto& [x, y] : line.points)
      text += fmt::format("  {}: {}", quantity(x, curves.x_unit), quantity(y, curves.y_unit));
    text += '\n';
  }
  return text;
}

}  // namespace

spread spread_of(std::vector<double> values) {
  spread found{.count = values.size()};
  if (values.empty()) return found;
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
  };
  found.low = at(0.1);
  found.median = values.size() % 2 != 0 ? values[values.size() / 2]
                                        : (values[values.size() / 2 - 1] + values[values.size() / 2]) / 2;
  found.high = at(0.9);
  found.p99 = at(0.99);
  found.p999 = at(0.999);
  return found;
}

const lane* row::ours() const {
  for (const lane& each : lanes)
    if (each.ours && each.ran()) return &each;
  return nullptr;
}

const lane* row::named(std::string_view name) const {
  for (const lane& each : lanes)
    if (each.name == name && each.ran()) return &each;
  return nullptr;
}

goal at_most(double limit, std::string text, std::string unit) {
  return {std::move(text), limit,
          [](const row& of) -> std::optional<double> {
            const lane* ours = of.ours();
            return ours == nullptr ? std::optional<double>{} : ours->values.median;
          },
          false, std::move(unit)};
}

goal at_most_times(std::string peer, double limit) {
  std::string text = fmt::format("at most {:g} x {}", limit, peer);
  return {std::move(text), limit, [peer = std::move(peer)](const row& of) -> std::optional<double> {
            const lane* ours = of.ours();
            const lane* theirs = of.named(peer);
            if (ours == nullptr || theirs == nullptr || theirs->values.median == 0) return {};
            return ours->values.median / theirs->values.median;
          }};
}

goal at_most_times_fastest_peer(double limit) {
  return {fmt::format("at most {:g} x the fastest peer", limit), limit, [](const row& of) -> std::optional<double> {
            const lane* ours = of.ours();
            double fastest = HUGE_VAL;
            for (const lane& each : of.lanes)
              if (!each.ours && each.ran()) fastest = std::min(fastest, each.values.median);
            if (ours == nullptr || fastest == HUGE_VAL) return {};
            return ours->values.median / fastest;
          }};
}

goal times_faster_than(std::string peer, double limit) {
  std::string text = fmt::format("at least {:g} x as fast as {}", limit, peer);
  return {std::move(text), limit,
          [peer = std::move(peer)](const row& of) -> std::optional<double> {
            const lane* ours = of.ours();
            const lane* theirs = of.named(peer);
            if (ours == nullptr || theirs == nullptr || ours->values.median == 0) return {};
            return theirs->values.median / ours->values.median;
          },
          true};
}

verdict judge(const goal& wanted, const row& of) {
  verdict given{wanted.text, wanted.unit, wanted.limit, wanted.value ? wanted.value(of) : std::nullopt};
  if (given.value) given.reached = wanted.at_least ? *given.value >= wanted.limit : *given.value <= wanted.limit;
  return given;
}

std::string quantity(double value, std::string_view unit) {
  if (unit == "s") return scaled(value, times);
  if (unit == "B") return scaled(value, sizes);
  // A ratio near 1 is often held against a limit near 1.
  if (unit == "x" && value >= 0.5 && value < 2) return fmt::format("{:.3f} x", value);
  if (unit.empty()) return fmt::format("{:g}", value);
  return three_digits(value) + " " + std::string(unit);
}

std::string as_text(const row& of) {
  std::string text = fmt::format("{}  {}{}\n", of.id, of.title, of.per.empty() ? "" : ", for one " + of.per);
  const lane* ours = of.ours();
  for (const lane& each : of.lanes) {
    text += fmt::format("    {:<46}", (each.ours ? "> " : "  ") + each.name);
    if (!each.ran()) {
      text += fmt::format(" absent: {}\n", each.absent.empty() ? "it did not run" : each.absent);
      continue;
    }
    const spread& took = each.values;
    text += fmt::format(" {:>9}  ({} - {})", quantity(took.median, of.unit), quantity(took.low, of.unit),
                        quantity(took.high, of.unit));
    if (of.tails && took.count >= 100) text += fmt::format("  p99 {}", quantity(took.p99, of.unit));
    if (of.tails && took.count >= 1000) text += fmt::format("  p99.9 {}", quantity(took.p999, of.unit));
    if (ours != nullptr && ours != &each && took.median != 0)
      text += fmt::format("   ours / this = {}", quantity(ours->values.median / took.median, "x"));
    text += '\n';
  }
  text += lines_of(of.curves);
  for (const verdict& each : of.verdicts)
    text += fmt::format(
        "    goal: {}: {}\n", each.text,
        each.value ? fmt::format("{}, {}", quantity(*each.value, each.unit), each.reached ? "reached" : "MISSED")
                   : "cannot be said, a contestant is absent");
  if (!of.note.empty()) text += fmt::format("    note: {}\n", of.note);
  if (!of.quarrel.empty()) text += fmt::format("    !!!! RESULTS DIFFER: {}\n", of.quarrel);
  return text;
}

}  // namespace forkful_bench
