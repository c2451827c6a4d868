// What a simulated call would run on, and its result.
//
// Owns nothing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace forkful::detail {

enum class way : std::uint8_t { serial, threads, snapshot, processes };

// The workers that would run.
struct crew_plan {
  way by = way::serial;
  unsigned workers = 1;
  unsigned cores = 1;          // that they share
  bool cold = false;           // processes, threads: the pool is started for this call (snapshots always are)
  bool from_template = false;  // cold processes: started by forkful::init's template
  double private_memory = 0;   // of the caller, in bytes: what a fork costs
  // mpi: each of `hosts` has a pool of `workers` on `cores` of its own; slices travel.
  unsigned hosts = 1;
  double latency = 50e-6;    // between two hosts, seconds
  double bandwidth = 1.2e9;  // of a host's network, bytes a second
};

// Where the time went, as forkful::report splits it; seconds. Of the critical resource: they add up to `wall`.
struct prediction {
  double wall = 0;
  double start = 0;       // until workers were there
  double wake = 0;        // until they had begun
  double compute = 0;     // the work itself, shared by the workers that could run
  double contention = 0;  // what it took longer because workers compete for memory or cores
  double pass = 0;        // encoding and decoding that no computing hid
  double hand_out = 0;    // cost of the chunks
  double tail = 0;        // at the end, when a worker had nothing left to run
  std::size_t chunks = 0;
};

}  // namespace forkful::detail
