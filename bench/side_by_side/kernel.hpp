// Work of a chosen length, for every contestant the same machine code: compiled once, also into a shared library that Python calls.
#pragma once

#include <cstdint>

/// A chain of multiplications; each of the `steps` needs the one before it, so no compiler and no core can shorten it.
extern "C" std::uint64_t forkful_bench_run(std::uint64_t seed, std::uint64_t steps);

namespace forkful_bench {

inline std::uint64_t run_slice(std::uint64_t seed, std::uint64_t steps) { return forkful_bench_run(seed, steps); }

/// How many steps take about so long on this machine, by the fastest of several tries.
std::uint64_t steps_in(double seconds);

}  // namespace forkful_bench
