// What all engines share besides their base class (forkful/detail/job.hpp), and the few functions that the templates need besides an
// engine.
#pragma once

namespace forkful::detail {

// Throws std::invalid_argument for more workers than a board has places; 0 is as many as CPUs to use.
unsigned checked_workers(unsigned asked);

}  // namespace forkful::detail
