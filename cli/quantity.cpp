#include "quantity.hpp"

#include <charconv>
#include <cmath>
#include <span>

namespace cli {

namespace {

struct unit {
  std::string_view name;
  double is;
};

constexpr unit times[] = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}};
constexpr unit sizes[] = {{"", 1}, {"B", 1}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}};

std::optional<double> quantity(std::string_view text, std::span<const unit> units) {
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  if (text.starts_with(' ')) text.remove_prefix(1);
  for (const unit& each : units) {
    if (text == each.name) return number * each.is;
  }
  if (text.empty() && number == 0) return 0;
  return std::nullopt;
}

}  // namespace

std::optional<double> seconds_of(std::string_view text) { return quantity(text, times); }
std::optional<double> bytes_of(std::string_view text) { return quantity(text, sizes); }

std::optional<std::size_t> count_of(std::string_view text, double most) {
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  if (number < 1 || number > most || number != std::floor(number)) return std::nullopt;
  return static_cast<std::size_t>(number);
}

}  // namespace cli
