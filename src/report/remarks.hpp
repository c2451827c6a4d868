// What is worth saying about a call, from its figures alone.
//
// Owns nothing. Invariants: says nothing that the figures do not show, and nothing about what cost little; no two sentences
// about one call advise opposite things.
#pragma once

#include <forkful/report.hpp>

namespace forkful::detail {

// Adds to `warnings` what stands out, a sentence each (what, why, what to do), the costliest first, and makes `advice` what to do
// next. `cpus`: how many this process may use.
void advise_on(report&, unsigned cpus);

}  // namespace forkful::detail
