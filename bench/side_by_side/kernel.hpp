// Work of a chosen length, for every contestant the same machine code: compiled once, also into a shared library that Python calls.
#pragma once

#include <cstdint>

/// A chain of multiplications; each of the `bites` needs the one before it, so no compiler and no core can shorten it.
extern "C" std::uint64_t forkful_bench_eat(std::uint64_t seed, std::uint64_t bites);

namespace forkful_bench {

inline std::uint64_t run_slice(std::uint64_t seed, std::uint64_t bites) { return forkful_bench_eat(seed, bites); }

/// How many bites take about so long on this machine, by the fastest of several tries.
std::uint64_t bites_in(double seconds);

}  // namespace forkful_bench
