// Making processes, and what a process knows of itself. Owns nothing.
#pragma once

#include <sys/types.h>

namespace forkful::detail {

// Forks after flushing the program's streams, so that buffered text is not printed twice (docs/protocol.md, 17).
// Returns 0 in the child, where all signals wait until settle_signals(); the pid in the parent; -1 with errno set.
pid_t fork_flushed();

// Threads of this process; 0 if /proc does not tell and there may be several. One system call.
unsigned thread_count() noexcept;

[[noreturn]] void leave(int status) noexcept;

// The limit that is most likely behind a refusal, and what to do about it.
const char* way_out_of(int error) noexcept;

// Throws start_failed: names the call, what the system said, and the limit that is most likely behind it.
[[noreturn]] void throw_start_failed(const char* call, int error);

}  // namespace forkful::detail
