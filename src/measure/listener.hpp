// What engines ask of those who tell what was counted, and what they say to them. src/report, which lies above, defines it.
#pragma once

#include <cstdint>

namespace forkful::detail {

// Whether this process's calls are to be reported. The first call reads FORKFUL_REPORT and starts the reporter; what is wrong
// with it is said on stderr, once, and the program goes on without.
bool reporting() noexcept;

// Lets go of this thread's report of a pool that is ending: nobody can ask for it any more.
void forget_report(std::uint64_t engine_number) noexcept;

}  // namespace forkful::detail
