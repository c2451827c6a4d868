// Reading the page of errors. See errors_page.hpp.
#include "errors_page.hpp"

#include <algorithm>

namespace cli {

extern const std::string_view errors_page;  // made by CMakeLists.txt from docs/errors.md

namespace {

std::string without_marks(std::string_view text) {
  std::string plain(text);
  plain.erase(std::remove(plain.begin(), plain.end(), '`'), plain.end());
  return plain;
}

// "- **Why:** text" begins a point; indented lines after it belong to it.
void add_line(error_entry& entry, std::string_view line) {
  constexpr std::string_view open = "- **";
  constexpr std::string_view close = ":** ";
  if (line.starts_with(open)) {
    const auto end = line.find(close);
    if (end == std::string_view::npos) return;
    entry.points.emplace_back(line.substr(open.size(), end - open.size()),
                              without_marks(line.substr(end + close.size())));
  } else if (line.starts_with("  ") && !entry.points.empty()) {
    entry.points.back().second += without_marks(line.substr(1));
  }
}

}  // namespace

std::vector<error_entry> error_entries(std::string_view page) {
  std::vector<error_entry> entries;
  bool inside = false;
  while (!page.empty()) {
    const auto end = std::min(page.find('\n'), page.size());
    const std::string_view line = page.substr(0, end);
    page.remove_prefix(std::min(end + 1, page.size()));
    if (line.starts_with("### ")) {
      entries.push_back({std::string(line.substr(4)), {}});
      inside = true;
    } else if (line.starts_with("#")) {
      inside = false;
    } else if (inside) {
      add_line(entries.back(), line);
    }
  }
  return entries;
}

std::vector<error_entry> error_entries() { return error_entries(errors_page); }

}  // namespace cli
