// docs/errors.md, put into the program when it is built, and read: an entry for each code of an error.
//
// An entry is a heading "### code" and points "- **Title:** text". Owns nothing.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

struct error_entry {
  std::string code;
  std::vector<std::pair<std::string, std::string>> points;  ///< title and text, without marks, each on one line
};

/// In the order of the page.
std::vector<error_entry> error_entries(std::string_view page);
/// Those of docs/errors.md.
std::vector<error_entry> error_entries();

}  // namespace cli
