// Finding out about work by doing a little of it: slices spread over the whole input are timed.
//
// Owns nothing. Slices that the callable would change are copied first, and the time for copying is subtracted again.
#pragma once

#include <forkful/advise.hpp>

#include "advice/machine.hpp"
#include "advice/workload.hpp"

namespace forkful::detail {

struct probe_figures {
  workload work{};
  double spread = 0;  // how far the mean of a slice's time may be off, as a share of it
};

// Takes at most 50 ms, or 1 % of what all slices will take, but at least one slice. Throws what a slice throws.
probe_figures probe(const question&, const machine&);

}  // namespace forkful::detail
