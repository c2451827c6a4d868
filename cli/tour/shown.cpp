// Finds a passage of the sources and takes its indentation off.
#include "tour/shown.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>

namespace tour {

namespace {

/// Splits off the first line, without its newline.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string without_indentation(std::string_view text) {
  std::size_t shared = std::string_view::npos;
  for (std::string_view rest = text; !rest.empty();)
    shared = std::min(shared, next_line(rest).find_first_not_of(' '));

  std::string lines;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = next_line(rest);
    if (line.size() > shared) lines += line.substr(shared);
    lines += '\n';
  }
  return lines;
}

}  // namespace

std::string shown(std::string_view name) {
  for (const auto& passage :
       std::span{detail::passages, detail::passage_count})
    if (passage.name == name) return without_indentation(passage.text);
  throw std::logic_error("the tour has no passage '" +
                         std::string(name) + "' to show");
}

}  // namespace tour
