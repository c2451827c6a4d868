// What a call, a sleeping worker and a chunk cost on a pool: measured on the pool itself, of whatever kind.
//
// Owns nothing. One slice does everything: it notes in shared memory when it began, and eats until it is told to stop.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <forkful/shared.hpp>
#include <span>

#include "advice/machine.hpp"
#include "advice/samples.hpp"
#include "os/cpu.hpp"

namespace forkful::detail {

struct stopwatch_slice {
  std::uint64_t until = 0;  // eats until then; 0: does nothing at all
  std::uint64_t began = 0;
  std::uint64_t ended = 0;
};

inline void eat_until(stopwatch_slice& slice) {
  if (slice.until == 0) return;
  slice.began = now_ns();
  do {
    slice.ended = now_ns();
    relax();
  } while (slice.ended < slice.until);
}

// Measures the costs of `pool`, whose `eaters` eat at once (the caller being one of them in some pools). There should be a core
// for each eater and for the caller: with fewer one waits for the other, and that is then what it costs here.
template <class Pool>
way_costs measure_way(Pool& pool, unsigned eaters, pace& measuring) {
  constexpr std::size_t chunks = 300;
  constexpr std::uint64_t hold_ns = 250'000;  // longer than it takes to hand out so many chunks, or to wake somebody
  constexpr std::uint64_t asleep_ns = 1'000'000;  // idle for so long, a worker sleeps, and its core does
  shared_vector<stopwatch_slice> table(chunks);
  const auto eat = [&](std::size_t count, std::size_t chunk) {
    pool.with({.chunk = chunk}).for_each(std::span{table.data(), count}, eat_until);
  };
  const auto idle_for = [](std::uint64_t nanoseconds) {
    const std::uint64_t until = now_ns() + nanoseconds;
    while (now_ns() < until) relax();
  };
  way_costs costs;

  // As many slices as eaters, all as long: nobody eats two, so the last to begin is a worker that slept.
  const samples wakes = measuring.repeat(6, 6, [&] {
    idle_for(asleep_ns);
    const std::uint64_t began = now_ns();
    for (std::size_t i = 0; i != eaters; ++i) table[i] = {.until = eaters == 1 ? 1 : began + hold_ns};
    eat(eaters, 1);
    std::uint64_t last = 0;
    for (std::size_t i = 0; i != eaters; ++i) last = std::max(last, table[i].began);
    return 1e-9 * static_cast<double>(std::max(last, began + 1) - began);
  });
  costs.wake = wakes.median();

  // The first slices hold the workers until all chunks are handed out; then they eat what lies there as fast as they can take it.
  std::vector<double> hand_outs;
  const samples claims = measuring.repeat(8, 2, [&] {
    for (stopwatch_slice& each : table) each = {};
    eat(1, 0);  // whoever slept is awake now
    const std::uint64_t free = now_ns() + hold_ns;
    for (std::size_t i = 0; i != eaters; ++i) {
      table[i].until = free;
      table[chunks - 1 - i].until = 1;
    }
    eat(chunks, 1);
    const time_split caller = pool.report().caller;
    const auto busy = caller.pass_in + caller.wake + caller.reassemble;
    hand_outs.push_back(1e-9 * static_cast<double>(busy.count()) / chunks);
    std::uint64_t last = free + 1;
    for (std::size_t i = 0; i != eaters; ++i) last = std::max(last, table[chunks - 1 - i].ended);
    return 1e-9 * static_cast<double>(last - free) * eaters / static_cast<double>(chunks - eaters);
  });
  costs.claim = claims.low();
  costs.hand_out = measuring.taken(std::move(hand_outs)).low();
  // Back to back, ten at a time: reading the clock costs a twentieth of one. Whoever is awake is called in less than it takes to wake
  // him; if not, he was put on the caller's core, and it is tried again.
  for (int tries = 0; tries != 4; ++tries) {
    const samples calls = measuring.repeat(100, 1, [&] {
      const std::uint64_t began = now_ns();
      for (int i = 0; i != 10; ++i) eat(1, 0);
      return seconds_since(began) / 10;
    });
    costs.call = tries == 0 ? calls.low() : std::min(costs.call, calls.low());
    if (costs.call < costs.wake) break;
  }
  return costs;
}

}  // namespace forkful::detail
