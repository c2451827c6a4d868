// What a call, a sleeping worker and a chunk cost on a pool: measured on the pool itself, of whatever kind.
//
// Owns nothing. One slice does everything: it notes in shared memory when it began, and runs until the time given.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <forkful/shared.hpp>
#include <span>

#include "advice/machine_figures.hpp"
#include "advice/samples.hpp"
#include "os/cpu.hpp"

namespace forkful::detail {

struct stopwatch_slice {
  std::uint64_t until = 0;  // runs until then; 0: does nothing at all
  std::uint64_t began = 0;
  std::uint64_t ended = 0;
};

inline void run_until(stopwatch_slice& slice) {
  if (slice.until == 0) return;
  slice.began = now_ns();
  do {
    slice.ended = now_ns();
    relax();
  } while (slice.ended < slice.until);
}

constexpr std::uint64_t hold_ns = 250'000;  // longer than it takes to publish some hundred chunks, or to wake a worker
constexpr std::uint64_t asleep_ns = 1'000'000;  // idle for so long, a worker sleeps, and its core does

struct waking {
  double wake = 0;
  double rouse = 0;
};

// As many slices as `runners`, all as long, so that no worker runs two while all come, and the last to begin is a
// worker that slept. In some pools the caller is one of the runners. A worker that never comes while another runs
// counts as if it came when that is done.
template <class Pool>
waking measure_waking(Pool& pool, unsigned runners, std::size_t times, pace& measuring) {
  shared_vector<stopwatch_slice> table(runners);
  std::vector<double> rousing;
  const samples wakes = measuring.repeat(times, static_cast<double>(times), [&] {
    const std::uint64_t idle_until = now_ns() + asleep_ns;
    while (now_ns() < idle_until) relax();
    const std::uint64_t began = now_ns();
    for (stopwatch_slice& each : table) each = {.until = runners == 1 ? 1 : began + hold_ns};
    pool.with({.chunk = 1}).for_each(table, run_until);
    rousing.push_back(1e-9 * static_cast<double>(pool.report().caller.wake.count()));
    std::uint64_t last = began + 1;
    for (const stopwatch_slice& each : table) last = std::max(last, each.began);
    return 1e-9 * static_cast<double>(last - began);
  });
  const double wake = wakes.median();
  return {wake, std::min(measuring.taken(std::move(rousing)).median(), wake)};
}

// Fills in the other costs, of a pool whose `runners` run at once. There should be a core for each runner and for the
// caller: with fewer one waits for the other, and the figures include that.
template <class Pool>
void measure_calls(Pool& pool, unsigned runners, pace& measuring, way_costs& costs) {
  constexpr std::size_t chunks = 300;
  shared_vector<stopwatch_slice> table(chunks);
  const auto run = [&](std::size_t count, std::size_t chunk) {
    pool.with({.chunk = chunk}).for_each(std::span{table.data(), count}, run_until);
  };

  // The first slices hold the workers until all chunks are published; then the workers run these as fast as they can claim them.
  std::vector<double> hand_outs;
  const samples claims = measuring.repeat(8, 2, [&] {
    for (stopwatch_slice& each : table) each = {};
    run(1, 0);  // a worker that slept is awake now
    const std::uint64_t free = now_ns() + hold_ns;
    for (std::size_t i = 0; i != runners; ++i) {
      table[i].until = free;
      table[chunks - 1 - i].until = 1;
    }
    run(chunks, 1);
    const time_split caller = pool.report().caller;
    const auto busy = caller.pass_in + caller.wake + caller.reassemble;
    hand_outs.push_back(1e-9 * static_cast<double>(busy.count()) / chunks);
    std::uint64_t last = free + 1;
    for (std::size_t i = 0; i != runners; ++i) last = std::max(last, table[chunks - 1 - i].ended);
    return 1e-9 * static_cast<double>(last - free) * runners / static_cast<double>(chunks - runners);
  });
  costs.claim = claims.low();
  costs.hand_out = measuring.taken(std::move(hand_outs)).low();
  // Back to back, ten at a time: reading the clock costs a twentieth of one. A call to a worker that is awake takes
  // less than waking one; if not, the worker was put on the caller's core, and it is tried again.
  for (int tries = 0; tries != 4; ++tries) {
    const samples calls = measuring.repeat(100, 1, [&] {
      const std::uint64_t began = now_ns();
      for (int i = 0; i != 10; ++i) run(1, 0);
      return seconds_since(began) / 10;
    });
    costs.call = tries == 0 ? calls.low() : std::min(costs.call, calls.low());
    if (costs.call < costs.wake) break;
  }
}

}  // namespace forkful::detail
