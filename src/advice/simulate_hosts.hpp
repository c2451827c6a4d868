// A call on several hosts: rank 0 feeds each of them, and each has a pool of its own.
#pragma once

#include "advice/crew_plan.hpp"
#include "advice/machine_figures.hpp"
#include "advice/workload.hpp"

namespace forkful::detail {

// `plan.hosts` > 1. A host's pool is simulated as a fluid: its work flows through all of its workers at once, as fast
// as its busiest part allows. So 64 hosts of 4096 workers cost no more than 64 of one.
prediction simulate_hosts(const workload&, const crew_plan&, const machine&);

}  // namespace forkful::detail
