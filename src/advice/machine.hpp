// What this machine charges for going parallel: measured, never guessed, and remembered until it boots again.
//
// Owns nothing. All times are seconds, all sizes bytes, unless a name says otherwise.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace forkful::detail {

// What one way of going parallel costs beyond the work, when its workers are there already.
struct way_costs {
  double call = 0;      // a whole call of one chunk, workers awake: what it takes longer than its work
  double wake = 0;      // from handing out to the first instruction of a worker that slept, wherever the system puts it
  double rouse = 0;     // what of that the caller spends on waking, and cannot do anything else
  double hand_out = 0;  // what a chunk costs the caller: publishing it and taking it back
  double claim = 0;     // what a chunk costs the worker that eats it
};

struct machine {
  unsigned cpus = 1;        // that this process may use: affinity mask and cgroup quota
  way_costs threads{};      // thread_pool
  way_costs processes{};    // process_pool
  double crowded_wake = 0;  // processes.wake of the worker that is one more than there are cores besides the caller's
  double fork_start = 0;  // starting one worker by fork, ending it included, in a process of hardly any private memory
  double fork_per_byte = 0;    // what each byte of private memory that the caller has touched adds to that
  double template_start = 0;   // the same from forkful::init's template, however large the caller is
  double page_fault = 0;       // touching a page of private memory for the first time
  double copy_on_write = 0;    // writing to a page that is shared with a forked process: fault and copy
  double copy_rate = 0;        // bytes a second that one core copies from memory to memory it has used before
  double copy_rate_all = 0;    // the same of all usable cores at once, together
  double fresh_copy_rate = 0;  // bytes a second that one core copies into memory never used before
  double spread = 0;           // how much repeated measurements differed: half the interquartile range over the median
};

// Measures all of it in about 50 ms, in a process of its own that is gone when this returns (but the thread pool in this one, if
// it has threads already). Forks: to be called where forking is safe. Throws start_failed.
machine measure_machine();

// The machine as measured once since it booted, for as many CPUs as this process may use now: from machine_file() if that fits,
// else measured now and written there. A file that cannot be read, fits another boot, another number of CPUs or another build of
// forkful, or makes no sense, is measured anew; where it cannot be written, nothing is kept. Nor is what was measured amid noise,
// or by a process whose own memory is most of what a fork costs it.
// Thread-safe; after the first call it costs nothing. Throws start_failed.
[[gnu::visibility("default")]] const machine& this_machine();
// The same from the file alone; empty if it does not fit.
[[gnu::visibility("default")]] std::optional<machine> kept_machine();
// Measured now, whatever was kept, and written. Does not change what this_machine() has returned.
[[gnu::visibility("default")]] machine measure_again();
// Writes it to machine_file() as measured by this process, if it is worth keeping and a file can be written there.
[[gnu::visibility("default")]] void keep_machine(const machine&);

// $XDG_CACHE_HOME/forkful/machine-HOST-CPUS.json, else the same below ~/.cache. Empty: neither variable is set.
[[gnu::visibility("default")]] std::string machine_file();

// Bytes of private memory that this process has touched (RssAnon): what a fork has to copy page tables of. 0 if /proc does not say.
std::size_t private_memory() noexcept;

}  // namespace forkful::detail
