// Making processes, and what a process knows of itself. Owns nothing.
#pragma once

#include <sys/types.h>

namespace forkful::detail {

// Forks after flushing the program's streams, so that buffered text is not printed twice (docs/protocol.md, 17).
// Returns 0 in the child, where all signals wait until reset_signals(); the pid in the parent; -1 with errno set.
pid_t fork_flushed();

[[noreturn]] void leave(int status) noexcept;

}  // namespace forkful::detail
