// What engines ask of the code that reports what was counted, and what they say to it. src/report, which lies above,
// defines it.
#pragma once

#include <cstdint>

namespace forkful::detail {

// Whether this process's calls are to be reported. The first call reads FORKFUL_REPORT and starts the reporter; what is wrong
// with it is said on stderr, once, and the program goes on without.
bool reporting() noexcept;

// Drops this thread's report of a pool that is ending: the program cannot ask for it any more.
void forget_report(std::uint64_t engine_number) noexcept;

}  // namespace forkful::detail
