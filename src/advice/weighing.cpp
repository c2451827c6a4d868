#include "advice/weighing.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

#include "advice/simulate.hpp"
#include "format/fmt.hpp"
#include "report/words.hpp"

namespace forkful::detail {

namespace {

constexpr double as_good = 1.01;     // fewer workers that take no longer than that are preferred
constexpr double model_error = 0.1;  // of costs that are not the work itself, beside the machine's spread
constexpr double hour = 3600;

constexpr std::array parallel_ways{way::threads, way::snapshot, way::processes};

// From two on, since one worker has no other to share with; all up to eight, then in steps of a quarter: between two
// steps little changes. Not many more than there are cores.
std::vector<unsigned> worth_trying(const workload& work, const situation& where, const machine& on) {
  constexpr double crowd = 4;
  const double cores = crowd * on.cpus / std::clamp(work.cpu_share, 0.001, 1.0);
  const unsigned most = std::min(workers_of(where, on), static_cast<unsigned>(std::min(cores, 1e6)));
  std::vector<unsigned> all;
  for (unsigned n = 2; n < most; n += std::max(1U, n / 4)) {
    if (n > on.cpus && !all.empty() && all.back() < on.cpus) all.push_back(on.cpus);
    all.push_back(n);
  }
  all.push_back(std::max(most, 1U));
  return all;
}

weighed with_interval(way by, unsigned workers, const prediction& what, const situation& where, const machine& on) {
  // Half the interquartile range holds half of all runs; twice as much holds four of five.
  const double slices = std::min(where.spread, 0.9);
  const double costs = std::min(2 * on.spread + on.disturbance + model_error, 0.9);
  const double work = what.compute + what.contention + what.tail;
  const double off = slices * work + costs * (what.wall - work);
  return {by, workers, true, what, what.wall - off, what.wall + off};
}

prediction simulated(way by, unsigned workers, const workload& work, const situation& where, const machine& on) {
  return simulate(work,
                  {.by = by,
                   .workers = workers,
                   .cores = on.cpus,
                   .cold = where.cold,
                   .from_template = where.from_template,
                   .private_memory = where.private_memory},
                  on);
}

weighed fastest(way by, const std::vector<unsigned>& numbers, const workload& work, const situation& where,
                const machine& on) {
  weighed best;
  for (const unsigned workers : numbers) {
    const prediction what = simulated(by, workers, work, where, on);
    if (best.by == way::serial || what.wall * as_good < best.what.wall) {
      best = with_interval(by, workers, what, where, on);
    }
  }
  return best;
}

}  // namespace

const weighed& weighing::parallel() const noexcept {
  const weighed* best = &ways[0];
  for (const weighed& one : ways) {
    if (one.by == way::serial || !one.possible) continue;
    if (best->by == way::serial || one.what.wall < best->what.wall) best = &one;
  }
  return *best;
}

weighing weigh(const workload& work, const situation& where, const machine& on) {
  weighing all;
  all.ways[0] = with_interval(way::serial, 1, simulated(way::serial, 1, work, where, on), where, on);
  all.ways[0].possible = where.why_not[0].empty();
  const std::vector<unsigned> numbers = worth_trying(work, where, on);
  for (const way by : parallel_ways) {
    const auto i = static_cast<std::size_t>(by);
    all.ways[i].by = by;
    all.ways[i].possible = where.why_not[i].empty();
    if (all.ways[i].possible) all.ways[i] = fastest(by, numbers, work, where, on);
  }
  return all;
}

double break_even(const workload& work, const situation& where, const machine& on) {
  const double mean = work.time.mean();
  if (work.slices == 0 || mean <= 0) return 0;
  const std::vector<unsigned> all = worth_trying(work, where, on);
  const std::vector<unsigned> few{all.front(), std::clamp(on.cpus, all.front(), all.back()), all.back()};
  const auto pays_from = [&](double each) {
    workload changed = work;
    changed.time = work.time.scaled(each / mean);
    const double loop = changed.time.sum(0, changed.slices);
    return std::any_of(parallel_ways.begin(), parallel_ways.end(), [&](way by) {
      return where.why_not[static_cast<std::size_t>(by)].empty() &&
             fastest(by, few, changed, where, on).what.wall < loop;
    });
  };
  // Bisected in proportions, to a percent or two.
  double below = 1e-9;
  double above = hour;
  if (pays_from(below)) return below;
  if (!pays_from(above)) return 0;
  while (above / below > 1.02) {
    const double middle = std::sqrt(below * above);
    (pays_from(middle) ? above : below) = middle;
  }
  return above;
}

unsigned workers_of(const situation& where, const machine& on) noexcept {
  return where.workers != 0 ? where.workers : std::max(1U, on.cpus);
}

bool starts_workers(const weighed& one, const situation& where) noexcept {
  return one.by == way::snapshot || (one.by == way::processes && where.cold);
}

const char* name_of(way by) noexcept {
  constexpr std::array names{"serial", "thread", "snapshot", "process"};
  return names[static_cast<std::size_t>(by)];
}

std::string named(const weighed& one) {
  return one.by == way::serial ? "the loop" : fmt::format("{}_pool of {}", name_of(one.by), one.workers);
}

std::string in_words(double seconds) {
  return human_time(std::chrono::nanoseconds(std::llround(std::min(1e9 * seconds, 9e18))));
}

}  // namespace forkful::detail
