// forkful tour --export: the whole walk as one page, to look at without a terminal or to send to a friend.
#pragma once

#include <string>

#include "tour.hpp"

namespace cli {

/// Walks without pauses and writes `file`, whole or not at all: a page that needs nothing else, code left, what happened right.
/// Says on stderr which step is being taken. False if some input was bad or some result was wrong, as walk_tour. Throws
/// std::system_error when the file cannot be written.
bool export_tour(const tour_options& options, const std::string& file);

}  // namespace cli
