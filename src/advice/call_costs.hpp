// What each step of a simulated call costs on one machine, worked out once before the simulation begins.
//
// Owns nothing. Times are seconds; those of a slice do not count what it takes longer when other slices compete for
// cores or memory.
#pragma once

#include <cstddef>

#include "advice/crew_plan.hpp"
#include "advice/machine_figures.hpp"
#include "advice/workload.hpp"

namespace forkful::detail {

struct call_costs {
  unsigned runners = 1;          // threads: the caller is one of them
  double start = 0;              // of one worker, by the caller, one after another; 0: they are there
  double once = 0;               // by the caller, before the first chunk
  double broadcast = 0;          // by the caller, before the first chunk
  double wake = 0;               // of a worker that sleeps
  double crowded_wake = 0;       // the same where there are more workers, the caller included, than cores
  double rouse = 0;              // of that, by the thread that wakes it
  double encode = 0;             // a slice, by the caller
  double publish = 0;            // a chunk, by the caller
  double claim = 0;              // a chunk, by its worker
  double pass = 0;               // a slice, by its worker: decoding it, encoding its result
  double broadcast_decoded = 0;  // by each worker, with its first chunk
  double take_back = 0;          // a chunk, by the caller
  double decode = 0;             // a result, by the caller
  double longer = 1;             // a slice takes so many times as long, because it may use one thread only
  double demand = 1;             // cores that a slice wants while it runs
  double slice_bytes = 0;        // that are copied in

  // How many times as long as alone a slice takes when `running` of them run at once on cores that are theirs.
  [[nodiscard]] double fighting_for_memory(double running) const;

  unsigned cpus = 1;  // where `slowdown` was measured
  double slowdown = 1;
  double traffic_share = 0;  // of all that memory can transfer, by one slice
};

call_costs costs_of(const workload&, const crew_plan&, const machine&);

// Bytes that the call copies, there and back.
double bytes_copied(const workload&, way) noexcept;

}  // namespace forkful::detail
