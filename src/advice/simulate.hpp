// How long a call would take: a discrete-event simulation of the engine, by its own rules for cutting chunks
// (board/chunking.hpp) and publishing them, with this machine's measured costs.
//
// Owns nothing. Deterministic.
#pragma once

#include "advice/crew_plan.hpp"
#include "advice/machine_figures.hpp"
#include "advice/workload.hpp"

namespace forkful::detail {

[[gnu::visibility("default")]] prediction simulate(const workload&, const crew_plan&, const machine&);

}  // namespace forkful::detail
