// Figures as users read them. See units.hpp.
#include "units.hpp"

#include <array>

#include "format/fmt.hpp"
#include "report/words.hpp"

namespace cli {

namespace {

struct unit {
  std::string_view name;
  double size;
};
constexpr std::array times{unit{"ns", 1}, unit{"us", 1e3}, unit{"ms", 1e6}, unit{"s", 1e9}};

}  // namespace

std::string bytes_text(std::size_t bytes) { return forkful::detail::human_bytes(bytes); }

std::string time_text(std::chrono::nanoseconds time) { return forkful::detail::human_time(time); }

std::string ratio_text(double ratio) {
  if (ratio >= 99.5) return fmt::format("{:.0f}", ratio);
  return ratio >= 0.095 ? fmt::format("{:.1f}", ratio) : fmt::format("{:.1g}", ratio);
}

std::string interval_text(std::chrono::nanoseconds low, std::chrono::nanoseconds high) {
  const std::string from = time_text(low);
  const std::string_view name = std::string_view(from).substr(from.find(' ') + 1);
  for (const unit& each : times) {
    if (each.name != name) continue;
    const std::string_view figure = std::string_view(from).substr(0, from.find(' '));
    const std::size_t point = figure.find('.');
    const int decimals = point == std::string_view::npos ? 0 : static_cast<int>(figure.size() - point - 1);
    return fmt::format("{}-{:.{}f} {}", figure, static_cast<double>(high.count()) / each.size, decimals, name);
  }
  return from + "-" + time_text(high);
}

}  // namespace cli
