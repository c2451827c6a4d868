// Which process is this? Owns one page that the kernel wipes in every forked child (MADV_WIPEONFORK).
//
// Invariant: the mark is non-zero, the same for the whole life of a process, and different in its children, however
// they were forked. Handles compare it with the mark of their maker (docs/protocol.md, 12); a pid could come round
// again.
#pragma once

#include <cstdint>

namespace forkful {
namespace detail {

// This process's mark. Thread-safe, async-signal-safe once called. Cost: two loads after the first call in a process.
[[gnu::visibility("default")]] std::uint64_t this_process() noexcept;

// In a child that was cloned past the kernel's or the C library's ways of noticing: makes the next look give a new mark.
void forget_process() noexcept;

// Where the mark lies: reads this_process() here, and 0 or another mark in a process forked from this one.
const std::uint64_t* process_mark() noexcept;

// oneTBB's threads do not survive a fork, and a thread that calls oneTBB in the child may wait for a lock that one of
// them held. Says that this process has them from now on; false if a process that it descends from said so before.
bool own_threads() noexcept;
// Whether such a process said so.
bool threads_left_behind() noexcept;

}  // namespace detail
}  // namespace forkful
