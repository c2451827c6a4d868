// Making processes, and what a process does about its own signals, streams and threads. Owns nothing.
#pragma once

#include <sys/types.h>

namespace forkful::detail {

// Forks after flushing stdout, stderr, cout and clog, so that buffered text is not printed twice (PROTOCOL 17).
// Returns 0 in the child, where all signals wait until settle_signals(); the pid in the parent; -1 with errno set.
pid_t fork_flushed();

// Prepares a new worker's signals: caught ones back to default, empty mask, SIGINT without effect (but not ignored: that
// would survive into programs it executes), no core dumps.
void settle_signals() noexcept;

// Writes out what user code printed. Called before a chunk is reported done and before leaving.
void flush_output() noexcept;

// Lets no signal through but those nobody can block.
void block_signals() noexcept;

// Threads of this process; 0 if /proc does not tell and there may be several. One system call.
unsigned thread_count() noexcept;

[[noreturn]] void leave(int status) noexcept;

// The limit that is most likely behind a refusal, and what to do about it.
const char* way_out_of(int error) noexcept;

// Throws start_failed: names the call, what the system said, and the limit that is most likely behind it.
[[noreturn]] void throw_start_failed(const char* call, int error);

}  // namespace forkful::detail
