// What a step shows of a call, from the call's report: on a terminal a
// picture. A walk that is exported keeps the reports for its page.
#pragma once

#include <cstddef>
#include <forkful/report.hpp>
#include <string>
#include <vector>

namespace tour {

/// Prints the picture, or keeps the report and prints a mark where the
/// page is to draw it. `slices`: their names, by index.
void exhibit(const forkful::report& happened,
             const std::vector<std::string>& slices = {});

/// From now on reports are kept in `kept`; null: pictures are printed.
void keep_exhibits(std::vector<forkful::report>* kept);

/// The line that stands for a kept report in what was printed.
std::string exhibit_mark(std::size_t number);

}  // namespace tour
