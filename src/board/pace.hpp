// The lengths of time and the windows that the engine goes by, all in one place: the simulation that advice rests on goes by the
// same (src/advice/simulation*).
//
// Owns nothing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace forkful::detail {

// ---- Spinning and sleeping ----

// An idle worker spins for so long before it sleeps: about what waking a sleeper costs.
inline constexpr std::uint64_t worker_spins_ns = 50'000;
// The caller spins for so long, in all of a call: longer than waking and being woken take, so that a short call whose workers slept
// ends before the caller sleeps; little enough not to take their core from the workers of a long one.
inline constexpr std::uint64_t caller_spins_ns = 250'000;
// After this, spinning makes room for other threads on the same core.
inline constexpr std::uint64_t polite_ns = 5'000;
// Work that no worker has claimed for so long wakes one that sleeps. So a burst shorter than this is one worker's.
inline constexpr std::uint64_t unclaimed_ns = 20'000;
// A worker that was woken and has not risen in that time is woken once more.
inline constexpr std::uint64_t rises_within_ns = 50'000;
// A worker that has nothing to do gets half of what another has held for so long and not begun: about what that costs the two and
// the parent.
inline constexpr std::uint64_t relief_ns = 50'000;
// A chunk that has taken so long is made to end within about as long again, and where it is known how long slices take none is cut
// longer.
inline constexpr std::uint64_t long_chunk_ns = 20'000'000;
// How long the caller sleeps at most while a call runs, as it may be asked to stop; and while there is work that is not claimed.
inline constexpr std::uint64_t watch_ns = 100'000'000;
inline constexpr std::uint64_t watch_unclaimed_ns = watch_ns / 100;

// ---- Chunks and blocks ----

// Where it is known how long slices take, a chunk takes at least so long: ten times what handing it over costs.
inline constexpr std::uint64_t pays_ns = 5'000;
// Input that takes so long to be read may be waited for: what was read, and what came of it, does not wait for it.
inline constexpr std::uint64_t slow_input_ns = 1'000'000;
// A chunk of an input of unknown length grows until it takes so long.
inline constexpr std::uint64_t long_enough_ns = 50'000;
// Blocks of slices grow while they take less: what comes between two of them costs more where slices are named for a crash.
inline constexpr std::uint64_t short_block_here_ns = 20'000;
inline constexpr std::uint64_t short_block_ns = 5'000;
// Bytes of input encoded ahead of the workers: enough to keep them busy, little enough to be warm memory when it is used again.
inline constexpr std::size_t frame_window = std::size_t{16} << 20;

// ---- Progress ----

// It is reported at most ten times a second.
inline constexpr std::uint64_t progress_ns = 100'000'000;

}  // namespace forkful::detail
