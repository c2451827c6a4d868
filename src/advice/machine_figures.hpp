// What a machine charges for going parallel: the figures themselves (machine.hpp says where they come from).
//
// Owns nothing. All times are seconds, all sizes bytes, unless a name says otherwise.
#pragma once

namespace forkful::detail {

// What one way of going parallel costs beyond the work, when its workers are there already.
struct way_costs {
  double call = 0;      // a whole call of one chunk, workers awake: what it takes longer than its work
  double wake = 0;      // from publishing to the first instruction of a worker that slept, wherever the system puts it
  double rouse = 0;     // what of that the caller spends on waking, and cannot spend on anything else
  double hand_out = 0;  // what a chunk costs the caller: publishing it and taking it back
  double claim = 0;     // what a chunk costs the worker that runs it
};

struct machine {
  unsigned cpus = 1;        // that this process may use: affinity mask and cgroup quota
  way_costs threads{};      // thread_pool
  way_costs processes{};    // process_pool
  double crowded_wake = 0;  // processes.wake of the worker that is one more than the cores besides the caller's
  double fork_start = 0;  // starting one worker by fork, ending it included, in a process of hardly any private memory
  double fork_per_byte = 0;    // what each byte of private memory that the caller has touched adds to that
  double template_start = 0;   // the same from forkful::init's template, however large the caller is
  double page_fault = 0;       // touching a page of private memory for the first time
  double copy_on_write = 0;    // writing to a page that is shared with a forked process: fault and copy
  double copy_rate = 0;        // bytes a second that one core copies from memory to memory it has used before
  double copy_rate_all = 0;    // the same of all usable cores at once, together
  double fresh_copy_rate = 0;  // bytes a second that one core copies into memory never used before
  double spread = 0;           // how much repeated measurements differed: half the interquartile range over the median
  double taken = 0;            // when it was measured: seconds since 1970; 0: not known
  double disturbance = 0;      // the share of the cores' time that others had meanwhile, or that it waited for them
};

}  // namespace forkful::detail
