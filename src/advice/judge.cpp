#include "advice/judge.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "advice/call_costs.hpp"
#include "advice/machine_history.hpp"
#include "advice/weighing.hpp"
#include "format/fmt.hpp"

namespace forkful::detail {

namespace {

// Threads that are faster by less than this are not worth what processes offer: that a crash costs one slice only.
constexpr double price_of_safety = 0.1;
// What differs by less than this is close; what differs by more, but by less than the noise, is uncertain.
constexpr double close = 0.25;

std::chrono::nanoseconds nanoseconds_of(double seconds) {
  return std::chrono::nanoseconds(std::llround(std::clamp(1e9 * seconds, 0.0, 9e18)));
}

std::string gain(double times) { return times < 9.95 ? fmt::format("{:.1f}", times) : fmt::format("{:.0f}", times); }

// More than one thread has worked, by more than the error of the measurement.
bool parallel_already(const workload& work) { return work.inner_threads > 1.2; }

std::string verdict_of(const weighing& all, const workload& work, const situation& where) {
  const weighed& best = all.parallel();
  const double loop = all.loop().what.wall;
  if (best.by == way::serial) return "don't go parallel: no parallel way is possible";
  if (all.pays()) {
    std::string said = fmt::format("go parallel: {}, {} x the loop", named(best), gain(loop / best.what.wall));
    const weighed& safe = all.ways[static_cast<std::size_t>(way::processes)];
    if (best.by == way::threads && safe.possible && safe.high < all.loop().low) {
      const double more = safe.what.wall / best.what.wall - 1;
      if (more <= price_of_safety) {
        said += fmt::format("; {} survives crashes for {:.0f} % more", named(safe), std::ceil(100 * more));
      }
    }
    return said;
  }
  if (parallel_already(work)) {
    return fmt::format("don't go parallel: the callable is parallel already{}, {} would take {} x as long",
                       where.parallel_by.empty() ? "" : fmt::format(" (by {})", where.parallel_by), named(best),
                       gain(best.what.wall / loop));
  }
  if (!all.does_not_pay() && std::abs(best.what.wall / loop - 1) > close) {
    // The means are far apart: what overlaps is how much the measurements varied.
    return fmt::format(
        "too uncertain to call: {} would take {:.2f} x the loop's time, or anything from {:.2f} to {:.2f} x, so much "
        "did the measurements vary; race them (forkful race)",
        named(best), best.what.wall / loop, std::max(0.0, best.low) / all.loop().high,
        best.high / std::max(all.loop().low, 1e-9));
  }
  if (!all.does_not_pay()) {
    return fmt::format("too close to call: {} takes {:.2f} x the loop's time; race them (forkful race)", named(best),
                       best.what.wall / loop);
  }
  return fmt::format("don't go parallel: the loop is fastest, {} would take {} x as long", named(best),
                     gain(best.what.wall / loop));
}

expected_time expected(const weighed& one, const workload& work, const situation& where) {
  expected_time made;
  made.way = name_of(one.by);
  made.workers = one.workers;
  made.possible = one.possible;
  made.why_not = where.why_not[static_cast<std::size_t>(one.by)];
  made.time = nanoseconds_of(one.what.wall);
  made.low = nanoseconds_of(one.low);
  made.high = nanoseconds_of(one.high);
  if (one.possible) made.bytes_copied = static_cast<std::size_t>(bytes_copied(work, one.by));
  return made;
}

}  // namespace

advice judge(const workload& work, const situation& where, const machine& on) {
  const weighing all = weigh(work, where, on);
  advice given;
  for (const weighed& one : all.ways) given.ways.push_back(expected(one, work, where));
  given.slices = work.slices;
  given.slice = nanoseconds_of(work.time.mean());
  given.already_parallel = parallel_already(work);
  given.parallel_by = where.parallel_by;
  given.doubt = doubt_about(on);
  if (work.slices == 0) {
    given.verdict = "nothing to do: there are no slices";
    given.way = name_of(way::serial);
    return given;
  }
  const double from = break_even(work, where, on);
  given.verdict = verdict_of(all, work, where);
  given.parallel = all.pays();
  // A callable that has the cores already gains nothing from a race.
  given.too_close = !given.parallel && !all.does_not_pay() && !given.already_parallel;
  const bool loop_first = !all.parallel().possible || all.loop().what.wall <= all.parallel().what.wall;
  given.way = name_of(loop_first && !given.parallel ? way::serial : all.parallel().by);
  given.break_even = nanoseconds_of(from);
  given.dominating_cost = largest_cost(all.parallel(), work, where, on);
  given.flip = flip_of(all, from, work, where, on);
  return given;
}

}  // namespace forkful::detail
