// What this machine charges for going parallel: measured, never guessed, more than once, and remembered until it boots again.
//
// Owns nothing.
#pragma once

#include <cstddef>
#include <string>

#include "advice/machine_figures.hpp"
#include "advice/machine_history.hpp"

namespace forkful::detail {

// Measures all of it in about 50 ms, in a process of its own that is gone when this returns (but the thread pool in this one, if
// it has threads already), and notes when, and how much others disturbed it. Forks: to be called where forking is safe. Throws
// start_failed.
machine measure_machine();

// The best of what was measured since it booted, for as many CPUs as this process may use now, by this or another process
// (machine_history.hpp), and of what the calls of this process showed. Measures once, at most, if there is nothing yet, or another
// measurement is worth it (worth_measuring()), and adds that to machine_file(). A file that cannot be read, fits another boot,
// another number of CPUs or another build of forkful, or makes no sense, is begun anew; where it cannot be written, the measurements
// of this process are all there is. What was measured by a process whose own memory is most of what a fork costs it is not written.
// Thread-safe. Cost, where nothing is measured: 0.2 ms. Throws start_failed.
[[gnu::visibility("default")]] machine this_machine();
// What that is the best of. Never measures.
[[gnu::visibility("default")]] machine_history known_history();
// Measured now, whatever is known. If that was in quiet, what is known is forgotten, else it is added as one more.
[[gnu::visibility("default")]] machine measure_again();
// Adds it to machine_file() as measured by this process, if it is worth storing and a file can be written there.
[[gnu::visibility("default")]] void cache_machine(const machine&);

// $XDG_CACHE_HOME/forkful/machine-HOST-CPUS.json, else the same below ~/.cache; with another end for builds that are slow
// ("-sanitizer"). Empty: neither variable is set.
[[gnu::visibility("default")]] std::string machine_file();

// Bytes of private memory that this process has touched (RssAnon): what a fork has to copy page tables of. 0 if /proc does not say.
std::size_t private_memory() noexcept;

}  // namespace forkful::detail
