// The two cores that everything here runs on, and how far apart they are.
//
// The machine's limit for anything that goes from one core to the other: a virtual machine's cores may be neighbours on one hour,
// and at different ends of a processor on the next, and short calls take twice as long then.
#pragma once

#include "contest.hpp"

namespace forkful_bench {

/// Keeps this thread on the n-th of the CPUs it may use; does nothing if there are fewer.
void stay_on(int n);

/// How long a cache line takes to the other core and back, seconds: two threads write it in turns, many times. Absurdly long where
/// there is but one core.
measured line_round_trips();

}  // namespace forkful_bench
