// Each thread's last reports, pool by pool (ledger.cpp): what the pools themselves need of that.
#pragma once

#include <cstdint>

namespace forkful::detail {

// Lets go of this thread's report of a pool that is ending: nobody can ask for it any more.
void forget_report(std::uint64_t engine_number) noexcept;

}  // namespace forkful::detail
