#include "race/rounds.hpp"

#include <malloc.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "format/fmt.hpp"
#include "interrupt.hpp"
#include "race/compare.hpp"
#include "race/noise.hpp"
#include "race/predict.hpp"

namespace race {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t fewest_rounds = 5;
constexpr std::size_t most_rounds = 1001;
constexpr auto enough_time = 3s;
constexpr auto too_long = 12s;  // where even five rounds take longer than this, fewer must do

bool sure(const lane& each) {
  const spread now = spread_of(each.times);
  return static_cast<double>((now.high - now.low).count()) <= sure_enough * static_cast<double>(now.median.count());
}

std::vector<way> running_ways(const outcome& race) {
  std::vector<way> ways;
  for (const lane& each : race.lanes)
    if (each.why_not.empty()) ways.push_back(each.which);
  return ways;
}

class referee {
 public:
  referee(const work& what, const rules& how, outcome& race)
      : what_(what), how_(how), race_(race), here_(running_ways(race), how.workers, false) {
    race_.workers = here_.workers();
  }

  /// Returns what the loop, or the pool that stands in for it, gave.
  results run() {
    warm_up();
    began_ = std::chrono::steady_clock::now();
    while (!over()) {
      ++race_.rounds;
      tell(fmt::format("round {}", race_.rounds));
      for (lane& each : race_.lanes) {
        if (!each.why_not.empty()) continue;
        const finish done = once(each.which);
        each.times.push_back(done.time);
        check(each, done);
      }
    }
    for (lane& each : race_.lanes)
      if (each.ran()) each.took = spread_of(each.times);
    if (race_.all_same()) race_.remark = what_.remark(expected_);
    return std::move(expected_);
  }

 private:
  void warm_up() {
    tell("the warm-up round");
    expected_ = what_.expected(here_);
    for (lane& each : race_.lanes) {
      if (!each.why_not.empty()) continue;
      if (how_.progress) how_.progress(fmt::format("the warm-up round, {}", name_of(each.which)));
      check(each, once(each.which));
    }
  }
  finish once(way which) {
    std::this_thread::sleep_for(what_.rest());  // or the way before would take time from this one
    return what_.run(here_, which);
  }

  void check(lane& each, const finish& done) {
    if (each.difference.empty()) each.difference = difference(expected_, done.output);
  }

  [[nodiscard]] bool over() const {
    if (how_.rounds != 0) return race_.rounds >= how_.rounds;
    const auto taken = std::chrono::steady_clock::now() - began_;
    if (race_.rounds == 0) return false;
    if (race_.rounds >= most_rounds || taken > too_long) return true;
    if (race_.rounds < fewest_rounds) return false;
    return taken > enough_time || std::all_of(race_.lanes.begin(), race_.lanes.end(),
                                              [](const lane& each) { return !each.ran() || sure(each); });
  }

  void tell(const std::string& what) const {
    cli::say_when_interrupted(fmt::format(" in {} of the race", what));
    if (how_.progress) how_.progress(what);
  }

  const work& what_;
  const rules& how_;
  outcome& race_;
  crew here_;
  results expected_;
  std::chrono::steady_clock::time_point began_;
};

/// From now on this process's peak counts from here.
void forget_peak_memory() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << 5;
}

/// One call more of each way, for what only a timeline can show and for memory: recording costs time, and the most memory that a
/// worker ever had says something about a way only if the worker did nothing else.
void draw(const work& what, const rules& how, outcome& race) {
  const cli::leaving_at_once nothing_to_put_away;
  if (how.progress) how.progress("one call more of each way, for the picture");
  for (lane& each : race.lanes) {
    if (!each.ran()) continue;
    forget_peak_memory();
    const way only[] = {each.which};
    crew fresh(only, how.workers, true);
    each.happened = what.run(fresh, each.which).happened;
  }
}

/// Not about work of which a single slice, which the advisor has to run, may take as long as a race.
void ask_advisor(const work& what, const rules& how, outcome& race) {
  const auto ranking = race.ranking();
  if (how.workers != 0 || ranking.empty() || ranking.back()->took.median > enough_time) return;
  if (how.progress) how.progress("asking the advisor");
  const cli::leaving_at_once nothing_to_put_away;
  predict(what, race);
}

}  // namespace

outcome run(const entry& which, const work& what, const rules& how) {
  outcome race{.work = std::string(which.name), .about = std::string(which.about), .slices = what.slices()};
  for (const way each : how.ways) race.lanes.push_back({.which = each, .why_not = what.why_not(each)});

  cli::say_when_interrupted(" before the race began");
  const std::string busy = others_at_work();
  {
    results output;  // gone before memory is looked at
    {
      const cli::leaving_at_once nothing_to_put_away;
      referee watching(what, how, race);
      if (!running_ways(race).empty()) output = watching.run();
    }
    what.keep(output);
  }
  ask_advisor(what, how, race);
  draw(what, how, race);
  race.noise = noise_of(race, busy);
  return race;
}

}  // namespace race
