#include "race/rounds.hpp"

#include <malloc.h>

#include <algorithm>
#include <fstream>
#include <thread>
#include <utility>

#include "format/fmt.hpp"
#include "interrupt.hpp"
#include "race/compare.hpp"
#include "race/noise.hpp"
#include "race/predict.hpp"
#include "race/schedule.hpp"

namespace race {

namespace {

using namespace std::chrono_literals;

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

using clock = std::chrono::steady_clock;

/// Since when the race runs, how long it goes on, and who is told.
class course {
 public:
  explicit course(const rules& how) : times(how.within, how.rounds), how_(how) {}

  [[nodiscard]] std::chrono::nanoseconds elapsed() const { return clock::now() - began_; }
  [[nodiscard]] bool fits(std::chrono::nanoseconds needs) const { return times.fits(elapsed(), needs); }
  void ends_in(std::chrono::nanoseconds left) { end_ = elapsed() + left; }
  void tell(const std::string& what) const {
    if (!how_.progress) return;
    const std::chrono::nanoseconds now = elapsed();
    how_.progress({what, now, std::max(end_ - now, std::chrono::nanoseconds(0))});
  }

  schedule times;

 private:
  const rules& how_;
  clock::time_point began_ = clock::now();
  std::chrono::nanoseconds end_{0};  // at most; 0: not known
};

class referee {
 public:
  referee(const work& what, const rules& how, course& on, outcome& race)
      : what_(what), how_(how), on_(on), race_(race), here_(running_ways(race), how.workers, false) {
    race_.workers = here_.workers();
  }

  /// Returns what the loop, or the pool that stands in for it, gave.
  results run() {
    warm_up();
    const std::vector<way> ways = running_ways(race_);
    on_.ends_in(on_.times.at_most(on_.elapsed(), ways, ways.size()));
    began_ = clock::now();
    while (!over(ways)) {
      ++race_.rounds;
      for (lane& each : race_.lanes) {
        if (!each.why_not.empty()) continue;
        tell(fmt::format("round {}, {}", race_.rounds, name_of(each.which)));
        count(each, once(each));
      }
    }
    if (race_.rounds == 0) use_warm_up();
    for (lane& each : race_.lanes)
      if (each.ran()) each.took = spread_of(each.times);
    if (race_.all_same()) race_.remark = what_.remark(expected_);
    return std::move(expected_);
  }

 private:
  void warm_up() {
    tell("the warm-up round");
    const auto began = clock::now();
    expected_ = what_.expected(here_);
    // Of what the loop gave, or the pool that stands in for it: nothing else has run.
    on_.times.took(way::serial, clock::now() - began);
    foretell();
    for (lane& each : race_.lanes) {
      if (!each.why_not.empty()) continue;
      if (each.which != way::serial && !on_.fits(on_.times.of(each.which))) {
        each.why_not = "there was no time left for it";
        race_.left_out.push_back(fmt::format("the way {}", name_of(each.which)));
        continue;
      }
      tell(fmt::format("the warm-up round, {}", name_of(each.which)));
      warm_.emplace_back(&each, once(each));
    }
  }
  void foretell() {
    const std::vector<way> ways = running_ways(race_);
    const auto at_most = on_.times.at_most(on_.elapsed(), ways, 0);
    on_.ends_in(at_most);
    if (how_.foretell) how_.foretell(on_.times.of(way::serial), at_most);
  }
  finish once(lane& each) {
    const auto began = clock::now();
    std::this_thread::sleep_for(what_.rest());  // or the way before would take time from this one
    finish done = what_.run(here_, each.which);
    if (each.difference.empty()) each.difference = difference(expected_, done.output);
    done.output.clear();
    on_.times.took(each.which, clock::now() - began);
    return done;
  }
  static void count(lane& each, const finish& done) {
    each.times.push_back(done.time);
    if (done.time.count() > 0)
      each.busy_cores.push_back(static_cast<double>(done.cpu.count()) / static_cast<double>(done.time.count()));
  }
  /// There was no time for a round: better a figure that was found cold than none.
  void use_warm_up() {
    race_.rounds = 1;
    race_.left_out.emplace_back("all rounds but the one to warm up");
    for (auto& [each, done] : warm_) count(*each, done);
  }

  [[nodiscard]] bool over(const std::vector<way>& ways) {
    if (!on_.times.another_round(race_.rounds, clock::now() - began_)) return true;
    const bool is_sure =
        how_.rounds == 0 && race_.rounds >= fewest_rounds &&
        std::all_of(race_.lanes.begin(), race_.lanes.end(), [](const lane& each) { return !each.ran() || sure(each); });
    if (is_sure) return true;
    const auto round = on_.times.round(ways);
    // Of the first round more can be said than of what comes after the last.
    if (on_.fits(round + (race_.rounds == 0 ? std::chrono::nanoseconds(0) : on_.times.ending(ways)))) return false;
    if (race_.rounds == 0) return true;
    race_.left_out.push_back(how_.rounds != 0 ? fmt::format("{} of {} rounds", how_.rounds - race_.rounds, how_.rounds)
                                              : fmt::format("rounds until it would be sure, after {}", race_.rounds));
    return true;
  }

  void tell(const std::string& what) const {
    cli::say_when_interrupted(fmt::format(" in {} of the race", what));
    on_.tell(what);
  }

  const work& what_;
  const rules& how_;
  course& on_;
  outcome& race_;
  crew here_;
  results expected_;
  std::vector<std::pair<lane*, finish>> warm_{};
  clock::time_point began_;
};

/// From now on this process's peak counts from here.
void forget_peak_memory() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << 5;
}

/// One call more of each way, for what only a timeline can show and for memory: recording costs time, and the most memory that a
/// worker ever had says something about a way only if the worker did nothing else.
void draw(const work& what, const rules& how, course& on, outcome& race) {
  const cli::leaving_at_once nothing_to_put_away;
  on.tell("one call more of each way, for the picture");
  std::vector<std::string_view> none;
  for (lane& each : race.lanes) {
    if (!each.ran()) continue;
    const way only[] = {each.which};
    if (!on.fits(on.times.round(only))) {
      none.push_back(name_of(each.which));
      continue;
    }
    forget_peak_memory();
    crew fresh(only, how.workers, true);
    each.happened = what.run(fresh, each.which).happened;
    each.drawn = true;
  }
  if (!none.empty()) race.left_out.push_back(fmt::format("picture, copies and memory of {}", fmt::join(none, ", ")));
}

/// Not about work of which a single slice, which the advisor has to run, may take as long as a race.
void ask_advisor(const work& what, const rules& how, course& on, outcome& race) {
  const auto ranking = race.ranking();
  if (how.workers != 0 || ranking.empty() || ranking.back()->took.median > enough_time) return;
  // A slice may be as long as the loop.
  if (!on.fits(on.times.of(way::serial) + std::chrono::milliseconds(60))) {
    race.left_out.emplace_back("the prediction");
    return;
  }
  on.tell("asking the advisor");
  const cli::leaving_at_once nothing_to_put_away;
  predict(what, race);
}

}  // namespace

outcome run(const entry& which, const work& what, const rules& how) {
  outcome race{.work = std::string(which.name), .about = std::string(which.about), .slices = what.slices()};
  for (const way each : how.ways) race.lanes.push_back({.which = each, .why_not = what.why_not(each)});

  cli::say_when_interrupted(" before the race began");
  course on(how);
  std::string busy;
  // A look takes 150 ms, and is the first to go where time is short.
  if (how.within.count() == 0 || how.within >= std::chrono::seconds(1))
    busy = others_at_work();
  else
    race.left_out.emplace_back("a look at what else runs");
  {
    results output;  // gone before memory is looked at
    {
      const cli::leaving_at_once nothing_to_put_away;
      referee watching(what, how, on, race);
      if (!running_ways(race).empty()) output = watching.run();
    }
    what.keep(output);
  }
  ask_advisor(what, how, on, race);
  draw(what, how, on, race);
  race.noise = noise_of(race, busy);
  return race;
}

}  // namespace race
