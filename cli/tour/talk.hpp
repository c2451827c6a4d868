// The talk's Python where more than one step needs it, and what runs
// with --python: lines of the talk, or of ours where it has only words.
#pragma once

#include <string>
#include <string_view>

namespace tour {

struct step;

namespace talk {

inline constexpr std::string_view make_cake = R"(
def makeCake():
  return ['slice_0', 'slice_1', 'slice_2', 'slice_3'])";

inline constexpr std::string_view eat_slice = R"(
def EatSlice(cakeSlice):
  return f"{cakeSlice}_eaten")";

/// What a notebook would have by now from its other cells: run before
/// each step's lines, and not shown.
std::string before();

/// The lines of a step that run, as they are shown: with the import, if
/// they need it, and ending in the name whose value is looked at.
std::string that_run(const step& shown);

}  // namespace talk
}  // namespace tour
