// The small picture that ends a step: a row for everybody who ate, along the time, and what was copied.
//
// Draws facts only, all of them from the call's report.
#pragma once

#include <forkful/report.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// Who ate what, when, from the call's timeline, and what was copied. At most `columns` wide; ends in a newline. `slices`: their
/// names, by index; slices beyond it are called slice_N.
std::string draw_call(const forkful::report& happened,
                      const std::vector<std::string>& slices = {});

/// "name   text": a line of the picture, its name in the same column as the eaters'.
std::string draw_line(std::string_view name, std::string_view text);

}  // namespace cli
