// Figures as people read and write them. See units.hpp.
#include "units.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <span>

#include "report/words.hpp"

namespace cli {

namespace {

struct unit {
  std::string_view name;
  double size;
};
constexpr std::array times{unit{"ns", 1}, unit{"us", 1e3}, unit{"ms", 1e6}, unit{"s", 1e9}};
constexpr std::array sizes{unit{"b", 1}, unit{"kb", 1e3}, unit{"mb", 1e6}, unit{"gb", 1e9}};

/// A number that is not negative, blanks, and one of the units in any case of letters.
std::optional<double> measured_in(std::span<const unit> units, std::string_view text) {
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || !std::isfinite(number) || std::signbit(number)) return {};
  std::string_view rest(read.ptr, static_cast<std::size_t>(text.data() + text.size() - read.ptr));
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  std::string name(rest);
  for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  for (const unit& each : units)
    if (each.name == name && number * each.size < 0x1p63) return std::round(number * each.size);
  return {};
}

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

std::optional<std::chrono::nanoseconds> time_from(std::string_view text) {
  const std::optional<double> nanoseconds = measured_in(times, text);
  if (!nanoseconds) return {};
  return std::chrono::nanoseconds(static_cast<std::int64_t>(*nanoseconds));
}

std::optional<std::size_t> bytes_from(std::string_view text) {
  const std::optional<double> bytes = measured_in(sizes, text);
  if (!bytes) return {};
  return static_cast<std::size_t>(*bytes);
}

std::optional<std::size_t> number_from(std::string_view text) {
  std::size_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return {};
  return number;
}

}  // namespace cli
