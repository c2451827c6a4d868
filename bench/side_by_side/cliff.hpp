// Cliffs in a growth curve: points that cost much more per unit than the point before. A cost that grows in proportion costs the
// same per unit everywhere, and one with a fixed part costs less and less.
#pragma once

#include <string>
#include <vector>

#include "row.hpp"

namespace forkful_bench {

struct cliff {
  double at = 0;      ///< x of the point
  double before = 0;  ///< x of the neighbour below
  double times = 0;   ///< how many times as much per unit
};

/// Every point that costs more than `times` what its neighbour below does, if y is a cost per unit.
std::vector<cliff> cliffs_of(const series& line, double times);

/// One sentence a line of the row's curves: "process_pool: no cliff", "memcpy: 2.7 x at 64 MB after 16 MB".
std::string cliffs_in_words(const growth& curves, double times);

/// "no point of the row's curve `line` costs more than `times` its neighbour below per unit."
goal no_cliff(std::string line, double times);

}  // namespace forkful_bench
