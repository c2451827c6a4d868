// forkful tour: walks through the steps, with pauses between them when there is a terminal to read on.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tour_python.hpp"

namespace cli {

struct tour_options {
  std::size_t step = 0;                 ///< 0: all of them
  bool yes = false;                     ///< no pauses
  std::vector<std::string> files;       ///< the real cake; empty: the licence texts every Debian has
  std::optional<interpreter> python{};  ///< what the talk's lines run in, if they do
};

std::size_t tour_steps();

/// The table of contents, to stdout.
void list_tour();

/// False if some input was bad or some result was wrong; what and why was said on stderr.
bool walk_tour(const tour_options& options);

}  // namespace cli
