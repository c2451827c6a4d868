// Measuring a machine in the process at hand, by doing what is to be measured.
//
// Owns nothing, leaves a template, and threads that oneTBB holds: to be called in a process of its own, which has one thread.
#pragma once

#include "advice/machine_figures.hpp"

namespace forkful::detail {

// All but `threads`. Throws refused_call, start_failed, and what a pool throws that cannot be made.
machine calibrate(unsigned cpus);

// The rest, afterwards: oneTBB's threads stay, and a process with threads is no longer one to measure in.
void calibrate_threads(machine& found);

}  // namespace forkful::detail
