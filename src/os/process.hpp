// Starting, watching, ending and reaping processes. Owns nothing but what it returns.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "os/fd.hpp"

namespace forkful::detail {

// How a process ended.
struct ending {
  int signal = 0;  // 0: it exited
  int exit_status =
      -1;  // -1, without a signal: somebody else took its status (a wait() of the user's, SIGCHLD ignored)
};

// Forks after flushing the program's streams, so that buffered text is not printed twice (PROTOCOL 17).
// Returns 0 in the child, where all signals wait until settle_signals(); the pid in the parent; -1 with errno set.
pid_t fork_flushed();

// A descriptor that becomes readable when the process ends; invalid with errno set on failure.
fd open_pidfd(pid_t process) noexcept;
// 0, or the errno with which this system refuses any pidfd: then there are no workers.
int pidfd_error() noexcept;

// Takes the status of an ended child. Empty while it still runs.
std::optional<ending> reap(const fd& pidfd) noexcept;

// Waits for a child that has no pidfd to end, and takes its status.
void reap_unwatched(pid_t process) noexcept;

// Waits at most `milliseconds` (negative: for ever) for the process to end. True when it has.
bool wait_ended(const fd& pidfd, int milliseconds) noexcept;

void kill_process(const fd& pidfd) noexcept;

// Threads of this process; 0 if /proc does not tell and there may be several. One system call.
unsigned thread_count() noexcept;

void close_descriptor(int number) noexcept;

[[noreturn]] void leave(int status) noexcept;

// The limit that is most likely behind a refusal, and what to do about it.
const char* way_out_of(int error) noexcept;

// Throws start_failed: names the call, what the system said, and the limit that is most likely behind it.
[[noreturn]] void throw_start_failed(const char* call, int error);

}  // namespace forkful::detail
