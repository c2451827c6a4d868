// S7: METG(50 %), the minimum effective task granularity: the shortest slice for which half of the machine's time is still spent on
// the slices themselves, and not on distributing them (Slaughter et al., Task Bench, SC20). Independent slices, all of one length.
//   efficiency = time of the loop / (2 x time of the contestant), both measured one right after the other;
// lengths are shortened by a quarter of a power of two until efficiency falls below 50 %; where between the last two it does, is
// interpolated. Each run is about 10 ms of work for each worker. The slices of all contestants call the same machine
// code.
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <forkful/forkful.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "side_by_side/contest.hpp"
#include "side_by_side/cores.hpp"
#include "side_by_side/kernel.hpp"

namespace {

using namespace forkful_bench;

/// Runs `count` slices of `steps`, and returns how long that took.
using eater = std::function<double(std::size_t count, std::uint64_t steps)>;

void run_one(std::size_t slice, std::uint64_t steps) { keep(run_slice(slice, steps)); }

double loop(std::size_t count, std::uint64_t steps) {
  return seconds([&] {
    for (std::size_t i = 0; i < count; ++i) run_one(i, steps);
  });
}

struct point {
  double length;      // of a slice, seconds
  double efficiency;  // 1: no overhead at all
};

point measure(const eater& contestant, std::uint64_t steps) {
  constexpr double work = 20e-3;
  const auto most = static_cast<double>(steps_in(work));
  // A bite is short; that calling costs something, too, counts for very short slices.
  const auto count = static_cast<std::size_t>(std::max(20.0, most / (static_cast<double>(steps) + 2)));
  const double alone = loop(count, steps);
  const double together = contestant(count, steps);
  return {alone / static_cast<double>(count), alone / (2 * together)};
}

/// The search. Two points in a row below 50 % end it, so that one disturbed run does not.
double metg(const eater& contestant, double from) {
  point above{from, 1};
  double step = std::pow(2, 0.25);
  std::uint64_t before = 0;
  for (double steps = static_cast<double>(steps_in(from)); steps >= 0.9; steps /= step) {
    const auto now = static_cast<std::uint64_t>(std::lround(steps));
    if (now == before) continue;
    before = now;
    point here = measure(contestant, now);
    if (here.efficiency < 0.5) {
      const point again = measure(contestant, now);
      if (again.efficiency > here.efficiency) here = again;
    }
    if (here.efficiency < 0.5) {
      if (above.efficiency <= here.efficiency) return here.length;
      const double share = (above.efficiency - 0.5) / (above.efficiency - here.efficiency);
      return above.length * std::pow(here.length / above.length, std::clamp(share, 0.0, 1.0));
    }
    above = here;
  }
  return above.length;  // or less: slices cannot be shorter
}

/// A round is a search that begins where at least 80 % were reached the time before.
auto rounds_of(eater contestant) {
  return [contestant = std::move(contestant), from = 1e-6]() mutable {
    while (from < 0.1 && measure(contestant, steps_in(from)).efficiency < 0.6) from *= 2;
    const double found = metg(contestant, from);
    from = 3 * found;
    return measured{{found}};
  };
}

auto rounds_of(const std::shared_ptr<peer_process>& other) {
  return rounds_of([other](std::size_t count, std::uint64_t steps) {
    return std::stod(other->ask(std::to_string(count) + " " + std::to_string(steps)));
  });
}

eater ours(forkful::process_pool& pool, std::size_t chunk) {
  return [&pool, chunk](std::size_t count, std::uint64_t steps) {
    return seconds([&] { pool.with({.chunk = chunk}).for_each(forkful::indices(count), run_one, steps); });
  };
}

template <class Partitioner>
eater onetbb(tbb::task_arena& arena, Partitioner how) {
  return [&arena, how](std::size_t count, std::uint64_t steps) {
    return seconds([&] {
      arena.execute([&] {
        tbb::parallel_for(
            tbb::blocked_range<std::size_t>(0, count, 1),
            [steps](const tbb::blocked_range<std::size_t>& some) {
              for (std::size_t i = some.begin(); i != some.end(); ++i) run_one(i, steps);
            },
            how);
      });
    });
  };
}

double openmp_dynamic(std::size_t count, std::uint64_t steps) {
  return seconds([&] {
#pragma omp parallel for num_threads(2) schedule(dynamic, 1)
    for (std::size_t i = 0; i < count; ++i) run_one(i, steps);
  });
}
double openmp_guided(std::size_t count, std::uint64_t steps) {
  return seconds([&] {
#pragma omp parallel for num_threads(2) schedule(guided)
    for (std::size_t i = 0; i < count; ++i) run_one(i, steps);
  });
}
double openmp_static(std::size_t count, std::uint64_t steps) {
  return seconds([&] {
#pragma omp parallel for num_threads(2) schedule(static)
    for (std::size_t i = 0; i < count; ++i) run_one(i, steps);
  });
}

void add_peer(contest& race, const std::string& name, std::vector<std::string> command) {
  const auto other = std::make_shared<peer_process>(std::move(command));
  if (other->alive())
    race.peer(name, rounds_of(other));
  else
    race.absent(name, other->why());
}

}  // namespace

int main(int argc, char** argv) {
  score_sheet sheet(argc, argv, "slice_overhead");
  forkful::process_pool pool{2};
  tbb::task_arena arena(2);
  if (sheet.wanted("S7", "chunk = 1")) {
    contest race(sheet, "S7", "METG(50 %), independent slices, chunk = 1");
    race.ours("process_pool, chunk = 1", rounds_of(ours(pool, 1)))
        .peer("oneTBB simple_partitioner", rounds_of(onetbb(arena, tbb::simple_partitioner())))
        .peer("OpenMP schedule(dynamic, 1)", rounds_of(openmp_dynamic))
        .peer("a cache line to the other core and back", line_round_trips);
    add_peer(race, "MPI, a counter both ranks take from", mpirun(2, peer_program("mpi_slices")));
    add_peer(race, "Python Pool(2).map, chunksize=1", python("slices.py", {peer_program("libkernel.so"), "1"}));
    race.goal(at_most(0.3e-6, "at most 0.3 us a slice")).run({.rounds = 11, .budget = 100});
  }
  if (sheet.wanted("S7", "automatic")) {
    contest race(sheet, "S7", "METG(50 %), independent slices, automatic chunks");
    race.ours("process_pool", rounds_of(ours(pool, 0)))
        .peer("oneTBB auto_partitioner", rounds_of(onetbb(arena, tbb::auto_partitioner())))
        .peer("OpenMP schedule(guided)", rounds_of(openmp_guided))
        .peer("OpenMP schedule(static)", rounds_of(openmp_static));
    add_peer(race, "Python Pool(2).map", python("slices.py", {peer_program("libkernel.so"), "0"}));
    race.goal(at_most(20e-9, "at most 20 ns a slice")).run({.rounds = 11, .budget = 100});
  }
  return sheet.finish();
}
