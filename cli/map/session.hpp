// One run of `forkful map`, from its options to its status.
#pragma once

#include "map/options.hpp"

namespace mapping {

/// What forkful leaves with; may not return, when a signal ends it. Throws refusal for what keeps it from beginning.
int run_session(const options& how);

}  // namespace mapping
