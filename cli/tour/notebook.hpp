// Who ate which slice, when: written down by the eaters themselves, at
// the moment they eat, in memory that all of them share.
//
// Workers find the notebook because they are forked after it was opened.
// One call at a time; each eater writes lines that nobody else touches.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>
#include <vector>

#include "picture.hpp"

namespace tour {

/// A fresh notebook. Before any pool is made that is to write in it.
void open_notebook(std::size_t lines = 64);

/// Makes the lines so far old news: notes() begins after them.
void turn_page();

/// A line in the notebook: begins when it is made, ends with its life.
/// Costs two looks at the clock. Beyond the last line: does nothing.
class bite {
 public:
  explicit bite(std::string_view slice) noexcept;
  bite(const bite&) = delete;
  bite& operator=(const bite&) = delete;
  ~bite();

 private:
  std::size_t line_;
};

/// What was written since the page was turned, in the order in which the
/// bites began. Slices are numbered in the order of their names.
std::vector<cli::bite> notes();

}  // namespace tour
