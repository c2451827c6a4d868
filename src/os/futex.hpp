// Sleeping on, and waking sleepers of, a 32-bit word in memory shared between processes. Owns nothing.
#pragma once

#include <atomic>
#include <cstdint>

namespace forkful::detail {

// Sleeps while `word` holds `seen`. Returns at once when it does not, and may return early (a signal): re-check the word.
void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t seen) noexcept;

// Wakes at most `count` sleepers; returns how many woke.
unsigned futex_wake(const std::atomic<std::uint32_t>& word, unsigned count) noexcept;

}  // namespace forkful::detail
