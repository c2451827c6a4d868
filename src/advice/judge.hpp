// From what is known of some work to advice: every way simulated, the verdict, and what it hangs on.
//
// Owns nothing. Deterministic: the same workload on the same machine gets the same advice.
#pragma once

#include <forkful/advice.hpp>

#include "advice/machine_figures.hpp"
#include "advice/situation.hpp"
#include "advice/workload.hpp"

namespace forkful::detail {

[[gnu::visibility("default")]] advice judge(const workload&, const situation&, const machine&);

}  // namespace forkful::detail
