// What this machine charges for going parallel: measured, never guessed, and remembered until it boots again.
//
// Owns nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "advice/machine_figures.hpp"

namespace forkful::detail {

// Measures all of it in about 50 ms, in a process of its own that is gone when this returns (but the thread pool in this one, if
// it has threads already). Forks: to be called where forking is safe. Throws start_failed.
machine measure_machine();

// The machine as measured once since it booted, for as many CPUs as this process may use now: from machine_file() if that fits,
// else measured now and written there. A file that cannot be read, fits another boot, another number of CPUs or another build of
// forkful, or makes no sense, is measured anew; where it cannot be written, nothing is stored. Nor is what was measured amid noise,
// or by a process whose own memory is most of what a fork costs it.
// Thread-safe; after the first call it costs nothing. Throws start_failed.
[[gnu::visibility("default")]] const machine& this_machine();
// The same from the file alone; empty if it does not fit.
[[gnu::visibility("default")]] std::optional<machine> cached_machine();
// Measured now, whatever was stored, and written. Does not change what this_machine() has returned.
[[gnu::visibility("default")]] machine measure_again();
// Writes it to machine_file() as measured by this process, if it is worth storing and a file can be written there.
[[gnu::visibility("default")]] void cache_machine(const machine&);

// $XDG_CACHE_HOME/forkful/machine-HOST-CPUS.json, else the same below ~/.cache. Empty: neither variable is set.
[[gnu::visibility("default")]] std::string machine_file();

// Bytes of private memory that this process has touched (RssAnon): what a fork has to copy page tables of. 0 if /proc does not say.
std::size_t private_memory() noexcept;

}  // namespace forkful::detail
