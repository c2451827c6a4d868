// How many slices the next chunk holds. Owns nothing.
#pragma once

#include <cstddef>

namespace forkful::detail {

// Never more than half a fair share of what remains, so that the last chunks end together; never more than 1/128 of a
// worker's share of everything, so that a long start does not decide the end; at least 1. Simulated against list scheduling
// for equal, exponential and giant-first lengths: within 1 % of the bound, where factoring alone (Hummel, Schonberg and
// Flynn, "Factoring", CACM 1992) takes 1.3-3.7 times it.
// `slice_bytes` (0: unknown) keeps a chunk that is copied near 1 MiB, which fits caches and overlaps copying with running.
// `slice_ns` (0: unknown): how long a slice takes. A chunk then takes long enough to pay for its hand-over, if so much is left, and not
// much longer than long_chunk_ns.
std::size_t next_chunk(std::size_t all, std::size_t remaining, unsigned workers, std::size_t asked,
                       std::size_t slice_bytes, double slice_ns) noexcept;

}  // namespace forkful::detail
