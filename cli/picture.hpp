// The small picture that ends a step: a row for everybody who ate, along the time, and what was copied.
//
// Draws facts only: bites come from the notebook that eaters write (tour/notebook.hpp), bytes from the pool's report.
#pragma once

#include <chrono>
#include <cstddef>
#include <forkful/report.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

struct bite {
  std::string slice;
  std::size_t number = 0;  ///< of the slice: chooses the colour
  std::size_t eater = 0;   ///< worker_index(), if a friend ate it
  bool by_friend = false;  ///< false: you did
  bool lost = false;       ///< eaten by a friend who did not live to bring it back
  std::chrono::nanoseconds from{0};
  std::chrono::nanoseconds to{0};
};

/// Who ate what, when. At most `columns` wide; ends in a newline; empty if nobody ate.
std::string draw_bites(const std::vector<bite>& bites);

/// One line: what the call copied towards the workers and back.
std::string draw_copies(const forkful::report& happened);

/// "name   text": a line of the picture, its name in the same column as the eaters'.
std::string draw_line(std::string_view name, std::string_view text);

}  // namespace cli
