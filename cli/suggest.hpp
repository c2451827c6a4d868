// "Did you mean ...?" for mistyped words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// The known word that takes the fewest single-letter changes, or "" if every one takes more than a third of its letters
/// (but two are always allowed).
std::string closest(std::string_view word, const std::vector<std::string>& known);

}  // namespace cli
