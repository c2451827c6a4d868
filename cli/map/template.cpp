#include "map/template.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace mapping {

namespace {

constexpr std::array<std::pair<std::string_view, form>, 4> path_forms{
    {{"/.", form::base_no_extension}, {"//", form::folder}, {"/", form::base}, {".", form::no_extension}}};

// "2", "-1", or a name; 0: none of them.
int column_of(std::string_view text, const spelling& how) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) return number;
  const auto found = std::find(how.names.begin(), how.names.end(), text);
  return found == how.names.end() ? 0 : static_cast<int>(found - how.names.begin()) + 1;
}

// The values that {2} counts: columns of the only unit, units of one column each, columns of one unit of several.
std::string_view in_column(int column, const std::vector<std::string_view>& values) {
  const auto count = static_cast<int>(values.size());
  const int at = column < 0 ? count + column : column - 1;
  return at >= 0 && at < count ? values[static_cast<std::size_t>(at)] : std::string_view{};
}

bool columns_in_several_units(const job_items& job) {
  return job.units.size() > 1 &&
         std::any_of(job.units.begin(), job.units.end(), [](const unit& u) { return u.size() > 1; });
}

std::string joined(const pieces& word, const job_items& job, std::string_view value) {
  std::string text;
  for (const piece& each : word) {
    if (!each.is_reference)
      text += each.text;
    else if (each.to.of_job() || each.to.column != 0)
      text += values_of(each.to, job).front();
    else
      text += in_form(each.to.what, value);
  }
  return text;
}

// As dirname(1).
std::string folder_of(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  path = path.substr(0, std::max<std::size_t>(slash, 1));
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

}  // namespace

std::vector<std::string_view> job_items::values() const {
  std::vector<std::string_view> all;
  for (const unit& each : units) all.insert(all.end(), each.begin(), each.end());
  return all;
}

std::size_t reference_at(std::string_view text, const spelling& how, reference& found) {
  if (!how.whole.empty() && text.starts_with(how.whole)) {
    found = {};
    return how.whole.size();
  }
  if (!text.starts_with('{')) return 0;
  const std::size_t close = text.find('}');
  if (close == std::string_view::npos) return 0;
  std::string_view inside = text.substr(1, close - 1);
  const std::size_t length = close + 1;
  if (inside == "#" || inside == "%") {
    found = {inside == "#" ? form::number : form::slot, 0};
    return length;
  }
  if (const int column = column_of(inside, how); column != 0) {
    found = {form::whole, column};
    return length;
  }
  for (const auto& [suffix, what] : path_forms) {
    if (!inside.ends_with(suffix)) continue;
    inside.remove_suffix(suffix.size());
    const int column = inside.empty() ? 0 : column_of(inside, how);
    if (!inside.empty() && column == 0) return 0;
    found = {what, column};
    return length;
  }
  return 0;
}

pieces read_pieces(std::string_view word, const spelling& how) {
  pieces all;
  std::string text;
  while (!word.empty()) {
    reference found;
    const std::size_t length = reference_at(word, how, found);
    if (length == 0) {
      text += word.front();
      word.remove_prefix(1);
      continue;
    }
    if (!text.empty()) all.push_back({.text = std::exchange(text, {})});
    all.push_back({.text = std::string(word.substr(0, length)), .is_reference = true, .to = found});
    word.remove_prefix(length);
  }
  if (!text.empty() || all.empty()) all.push_back({.text = text});
  return all;
}

bool has_reference(const pieces& word) {
  return std::any_of(word.begin(), word.end(), [](const piece& each) { return each.is_reference; });
}

std::string in_form(form what, std::string_view value) {
  const std::size_t slash = value.rfind('/');
  const std::size_t name = slash == std::string_view::npos ? 0 : slash + 1;
  const std::size_t dot = value.rfind('.');
  // As GNU parallel: all of ".profile" is one, and so is the dot of "a.".
  const bool has_extension = dot != std::string_view::npos && dot >= name;
  const std::string_view stem = has_extension ? value.substr(0, dot) : value;
  switch (what) {
    case form::no_extension:
      return std::string(stem);
    case form::base:
      return std::string(value.substr(name));
    case form::base_no_extension:
      return std::string(stem.substr(name));
    case form::folder:
      return folder_of(value);
    default:
      return std::string(value);
  }
}

std::vector<std::string> values_of(const reference& to, const job_items& job) {
  if (to.what == form::number) return {std::to_string(job.number)};
  if (to.what == form::slot) return {std::to_string(job.slot)};
  if (to.column != 0 && !columns_in_several_units(job)) return {in_form(to.what, in_column(to.column, job.values()))};
  std::vector<std::string> all;
  if (to.column == 0) {
    for (const std::string_view each : job.values()) all.push_back(in_form(to.what, each));
  } else {
    for (const unit& each : job.units)
      all.push_back(in_form(to.what, in_column(to.column, std::vector<std::string_view>(each.begin(), each.end()))));
  }
  return all;
}

void fill_in(const pieces& word, const job_items& job, std::vector<std::string>& words) {
  const auto holds = [&](auto which) {
    return std::any_of(word.begin(), word.end(),
                       [&](const piece& each) { return each.is_reference && !each.to.of_job() && which(each.to); });
  };
  if (holds([](const reference& to) { return to.column == 0; })) {
    for (const std::string_view each : job.values()) words.push_back(joined(word, job, each));
  } else if (columns_in_several_units(job) && holds([](const reference&) { return true; })) {
    for (const unit& each : job.units) words.push_back(joined(word, {job.number, job.slot, {each}}, {}));
  } else {
    words.push_back(joined(word, job, {}));
  }
}

}  // namespace mapping
