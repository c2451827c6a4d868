// What signals do to a process that forkful forks: mostly what the caller has decided they do to its program (docs/protocol.md, 17;
// the table for users is in docs/inheritance.md).
//
// Owns handlers without effect, and the mask that the forking thread had, until its child has it back.
#pragma once

#include <signal.h>

namespace forkful::detail {

// Blocks all signals in this thread that can be blocked, and remembers what it blocked before: that is what
// reset_signals() gives a child that is forked now.
void block_signals() noexcept;
// The same, for the time of a fork: returns what to pass to release_signals() in the parent.
sigset_t hold_signals() noexcept;
void release_signals(const sigset_t& before) noexcept;

// In a new worker, whose signals are held: decides about each of them, and opens the mask as it was in the thread that forked,
// but for the signals by which code crashes. No core dumps.
//   * SIGINT has no effect (an empty handler, so that programs which a slice runs can be interrupted), unless it is ignored.
//   * SIGTERM, SIGHUP and SIGQUIT end the worker when they would end the caller at that moment, and have no effect otherwise.
//   * SIGTSTP has no effect where the caller handles it; SIGCHLD, SIGCONT and SIGWINCH are at their default there.
//   * All others, the caller's handlers included, stay as they are.
void reset_signals() noexcept;

}  // namespace forkful::detail
