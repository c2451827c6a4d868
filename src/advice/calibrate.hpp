// Measuring a machine in the process at hand, by doing what is to be measured.
//
// Owns nothing, leaves threads that oneTBB keeps, and a template: to be called in a process of its own, which has one thread.
#pragma once

#include "advice/machine.hpp"

namespace forkful::detail {

// Throws start_failed, and whatever a pool throws that cannot be made.
machine calibrate(unsigned cpus);

}  // namespace forkful::detail
