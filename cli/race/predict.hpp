// What the advisor says about a work before it runs, to stand beside what was measured.
#pragma once

#include "race/outcome.hpp"
#include "race/work.hpp"

namespace race {

/// Fills in `advised_parallel`, `parallel_by`, and `predicted` of every lane that the advisor can say something about. It runs a few slices, for at most 50 ms or 1 % of the
/// whole, and expects as many workers as CPUs.
void predict(const work& what, outcome& race);

}  // namespace race
