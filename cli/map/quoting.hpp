// Words as a shell reads them: what is shown can be pasted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mapping {

/// One word on one line, whatever it holds: as it is, in single quotes, or as $'a\nb' (bash, zsh, ksh) where only that will do.
std::string quoted(std::string_view word);
/// The words of a command, a blank between two.
std::string quoted(const std::vector<std::string>& words);

}  // namespace mapping
