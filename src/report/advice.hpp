// What is worth saying about a call, from its figures alone.
//
// Owns nothing. Invariant: says nothing that the figures do not show, and nothing at all about what cost little.
#pragma once

#include <forkful/report.hpp>

namespace forkful::detail {

// Adds to `warnings` what stands out, a sentence each (what, why, what to do), the costliest first, and makes `advice` what to do
// next.
void advise_on(report&);

}  // namespace forkful::detail
