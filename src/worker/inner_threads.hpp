// How many threads libraries may use inside a worker: OpenMP, OpenBLAS, MKL, BLIS and oneTBB.
//
// Those already loaded are limited by the functions they have for it, found by name; those loaded later read the
// environment. Owns what was found, for this process and the workers that are forked from it.
#pragma once

#include <string>

namespace forkful::detail {

// Looks which of the libraries are loaded, if any was since the last time. Takes the loader's locks, so it is for the process
// that forks, before it does. Cost: 20 us, or under one if nothing was loaded; 0.3 ms the first time that there is oneTBB, which it uses.
void find_inner_threads() noexcept;

// What people call the library that most likely makes a callable parallel: the first of those that are loaded ("OpenBLAS", "OpenMP",
// ...). Empty: none of them is. oneTBB is not among them, since our own threads are its.
std::string inner_library();

// In a new worker: `count` threads each. `alone`: it was forked by a process of one thread, so no lock can be held for ever.
void limit_inner_threads(unsigned count, bool alone) noexcept;

// In a worker, between calls: the same for a oneTBB that slices have loaded, which reads no environment. Where the worker is not
// alone it does nothing. Cost: 30 ns while nothing was loaded.
void limit_late_inner_threads() noexcept;

}  // namespace forkful::detail
