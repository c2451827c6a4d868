#include "map/columns.hpp"

#include "format/fmt.hpp"
#include "map/misuse.hpp"
#include "terminal.hpp"

namespace mapping {

namespace {

std::string trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(blanks) + 1 - begin));
}

}  // namespace

columns::columns(const std::string& separator) {
  if (separator == "\\t") {
    plain_.assign(1, '\t');
  } else if (separator.find_first_of("\\^$.|?*+()[]{}") == std::string::npos) {
    plain_ = separator;
  }
  if (separator.empty()) throw refusal(misused, "--colsep needs what stands between columns, as , or '\\t' or ' +'");
  if (!plain_.empty()) return;
  try {
    separator_.assign(separator, std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error&) {
    throw refusal(misused,
                  fmt::format("--colsep: '{}' is no regular expression; one character needs none, as --colsep ,",
                              cli::harmless(separator)));
  }
}

unit columns::of(const std::string& item) const {
  unit all;
  std::size_t begin = 0;
  if (!plain_.empty()) {
    for (std::size_t end = 0; (end = item.find(plain_, begin)) != std::string::npos; begin = end + plain_.size())
      all.push_back(trimmed(std::string_view(item).substr(begin, end - begin)));
  } else {
    for (std::sregex_iterator each(item.begin(), item.end(), separator_), last; each != last; ++each) {
      const auto length = static_cast<std::size_t>(each->length());
      if (length == 0) continue;
      const auto at = static_cast<std::size_t>(each->position());
      all.push_back(trimmed(std::string_view(item).substr(begin, at - begin)));
      begin = at + length;
    }
  }
  all.push_back(trimmed(std::string_view(item).substr(begin)));
  return all;
}

}  // namespace mapping
