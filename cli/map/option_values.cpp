// See option_values.hpp.
#include "map/option_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "format/fmt.hpp"
#include "map/misuse.hpp"
#include "terminal.hpp"

namespace mapping {

namespace {

constexpr unsigned most_jobs = 1000;

std::optional<double> decimal(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0) || value > 1e15) return {};
  return value;
}

std::optional<std::size_t> whole(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
  return value;
}

// A number and a unit.
template <std::size_t n>
std::optional<double> measured(std::string_view text, const std::array<std::pair<std::string_view, double>, n>& units) {
  const std::size_t end = text.find_first_not_of("0123456789.");
  const std::string_view unit = end == std::string_view::npos ? std::string_view{} : text.substr(end);
  const auto value = decimal(text.substr(0, text.size() - unit.size()));
  const auto found = std::find_if(units.begin(), units.end(), [&](const auto& each) { return each.first == unit; });
  if (!value || found == units.end()) return {};
  return *value * found->second;
}

}  // namespace

void wrong(std::string_view sentence) { throw refusal(misused, fmt::format("{} (see forkful map --help)", sentence)); }

void wrong_value(std::string_view option, std::string_view is, std::string_view typed) {
  wrong(fmt::format("{} is {}, not '{}'", option, is, cli::harmless(typed)));
}

std::size_t count_of(std::string_view option, std::string_view text, std::size_t least) {
  const auto value = whole(text);
  if (!value || *value < least) wrong_value(option, fmt::format("a whole number from {} on", least), text);
  return *value;
}

std::chrono::nanoseconds time_of(std::string_view option, std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 6> units{
      {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
  const auto seconds = measured(text, units);
  if (!seconds || *seconds > 1e9) wrong_value(option, "a time, as 2s or 500ms or 1.5m (seconds without a unit)", text);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(*seconds * 1e9));
}

std::size_t size_of(std::string_view option, std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 7> units{
      {{"", 1}, {"k", 1 << 10}, {"K", 1 << 10}, {"m", 1 << 20}, {"M", 1 << 20}, {"g", 1 << 30}, {"G", 1 << 30}}};
  const auto bytes = measured(text, units);
  if (!bytes || *bytes < 1) wrong_value(option, "a size, as 64k or 1M or 2G", text);
  return static_cast<std::size_t>(*bytes);
}

char delimiter_of(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, char>, 5> escapes{
      {{"\\n", '\n'}, {"\\t", '\t'}, {"\\0", '\0'}, {"\\r", '\r'}, {"\\\\", '\\'}}};
  if (text.size() == 1) return text.front();
  const auto* const found =
      std::find_if(escapes.begin(), escapes.end(), [&](const auto& each) { return each.first == text; });
  if (found == escapes.end()) wrong_value("-d", "one character, or \\n, \\t, \\0, \\r", text);
  return found->second;
}

halting halting_of(std::string_view text) {
  using moment = halting::moment;
  using kind = halting::kind;
  static constexpr std::array<std::pair<std::string_view, halting>, 7> short_forms{
      {{"never", {}},
       {"0", {}},
       {"1", {moment::soon, kind::fail, 1}},
       {"2", {moment::now, kind::fail, 1}},
       {"-1", {moment::soon, kind::success, 1}},
       {"-2", {moment::now, kind::success, 1}},
       {"now", {moment::now, kind::fail, 1}}}};
  const auto* const known =
      std::find_if(short_forms.begin(), short_forms.end(), [&](const auto& each) { return each.first == text; });
  if (known != short_forms.end()) return known->second;
  const auto fail = [&] {
    wrong_value("--halt", "never, or now or soon with what to count, as now,fail=1 or soon,fail=10%", text);
  };
  halting found;
  const std::size_t comma = text.find(',');
  const std::size_t equals = text.find('=');
  if (comma == std::string_view::npos || equals == std::string_view::npos || equals < comma) fail();
  const std::string_view when = text.substr(0, comma);
  const std::string_view what = text.substr(comma + 1, equals - comma - 1);
  std::string_view limit = text.substr(equals + 1);
  if (when != "now" && when != "soon") fail();
  found.when = when == "now" ? moment::now : moment::soon;
  if (what == "fail")
    found.what = kind::fail;
  else if (what == "success")
    found.what = kind::success;
  else if (what == "done")
    found.what = kind::done;
  else
    fail();
  if (limit.ends_with('%')) {
    limit.remove_suffix(1);
    const auto percent = decimal(limit);
    if (!percent || *percent <= 0 || *percent > 100) fail();
    found.percent = *percent;
  } else {
    const auto number = whole(limit);
    if (!number || *number == 0) fail();
    found.count = *number;
  }
  return found;
}

std::vector<int> statuses_of(std::string_view text) {
  std::vector<int> list;
  const std::string typed(text);
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto value = whole(text.substr(0, comma));
    if (!value || *value > 255) wrong_value("--ok", "a list of statuses from 0 to 255, as 0,1", typed);
    list.push_back(static_cast<int>(*value));
    if (comma == text.size()) return list;
    text.remove_prefix(comma + 1);
  }
}

unsigned jobs_of(std::string_view typed, unsigned cpus) {
  if (typed == "0") return most_jobs;
  double jobs = 0;
  if (typed.ends_with('%')) {
    const auto percent = decimal(typed.substr(0, typed.size() - 1));
    if (!percent || *percent <= 0) return 0;
    jobs = std::floor(*percent / 100 * cpus);
  } else if (typed.starts_with('+') || typed.starts_with('-')) {
    const auto more = whole(typed.substr(1));
    if (!more) return 0;
    jobs = typed.front() == '+' ? cpus + static_cast<double>(*more) : cpus - static_cast<double>(*more);
  } else {
    const auto number = whole(typed);
    if (!number || *number == 0) return 0;
    jobs = static_cast<double>(*number);
  }
  return static_cast<unsigned>(std::clamp(jobs, 1.0, static_cast<double>(most_jobs)));
}

}  // namespace mapping
