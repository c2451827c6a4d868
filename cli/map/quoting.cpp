#include "map/quoting.hpp"

#include <algorithm>

#include "format/fmt.hpp"

namespace mapping {

namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
}

bool control(char c) { return (c >= 0 && c < ' ') || c == 127; }

}  // namespace

std::string quoted(std::string_view word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return std::string(word);
  const bool escapes = std::any_of(word.begin(), word.end(), control);
  std::string text = escapes ? "$'" : "'";
  for (const char c : word) {
    if (!escapes) {
      text += c == '\'' ? R"('\'')" : std::string(1, c);
    } else if (c == '\n') {
      text += "\\n";
    } else if (c == '\t') {
      text += "\\t";
    } else if (c == '\'' || c == '\\') {
      text += '\\';
      text += c;
    } else if (control(c)) {
      text += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    } else {
      text += c;
    }
  }
  return text + "'";
}

std::string quoted(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& each : words) {
    if (!text.empty()) text += ' ';
    text += quoted(each);
  }
  return text;
}

}  // namespace mapping
