#include "race/outcome.hpp"

#include <algorithm>

#include "format/fmt.hpp"
#include "units.hpp"

namespace race {

namespace {

double ratio(std::chrono::nanoseconds slow, std::chrono::nanoseconds fast) {
  return static_cast<double>(slow.count()) / static_cast<double>(std::max<std::int64_t>(fast.count(), 1));
}

/// "1.05 x" where "1.0 x" would say nothing.
std::string times(double factor) {
  return (factor >= 1 && factor < 1.095 ? fmt::format("{:.2f}", factor) : cli::ratio_text(factor)) + " x";
}

/// "thread", "thread and process", "thread, process and shared".
std::string listed(const std::vector<std::string>& names) {
  if (names.size() < 2) return names.empty() ? "" : names.front();
  return fmt::format("{} and {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

}  // namespace

const lane* outcome::loop() const {
  const auto found = std::find_if(lanes.begin(), lanes.end(),
                                  [](const lane& each) { return each.which == way::serial && each.ran(); });
  return found == lanes.end() ? nullptr : &*found;
}

std::vector<const lane*> outcome::ranking() const {
  std::vector<const lane*> ran;
  for (const lane& each : lanes)
    if (each.ran()) ran.push_back(&each);
  std::stable_sort(ran.begin(), ran.end(),
                   [](const lane* a, const lane* b) { return a->took.median < b->took.median; });
  return ran;
}

bool outcome::all_same() const {
  return std::all_of(lanes.begin(), lanes.end(), [](const lane& each) { return each.difference.empty(); });
}

double outcome::cores_of_loop() const {
  constexpr std::chrono::microseconds telling(200);
  const lane* const ran = loop();
  if (ran == nullptr || ran->took.median < telling || ran->busy_cores.empty()) return 1;
  std::vector<double> all = ran->busy_cores;
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
  return all[all.size() / 2];
}

std::string how_measured(const outcome& race) {
  if (race.rounds == 0) return "Nothing was measured";
  const std::string workers = race.workers == 1 ? "1 worker" : fmt::format("{} workers", race.workers);
  const std::string times =
      race.rounds == 1 ? fmt::format("One round with {}", workers)
      : race.rounds < 6
          ? fmt::format("Median of {} rounds in turns with {}; range: all of them", race.rounds, workers)
          : fmt::format("Median of {} rounds in turns with {}; range: its 95 % interval", race.rounds, workers);
  return times + ".\nThe workers were there already; snapshot forks at every call";
}

std::optional<double> speed_up(const outcome& race, const lane& each) {
  const lane* const loop = race.loop();
  if (loop == nullptr || !each.ran()) return {};
  return ratio(loop->took.median, each.took.median);
}

namespace {

verdict fastest_of(const outcome& race) {
  const std::vector<const lane*> ranking = race.ranking();
  if (ranking.empty()) return {"No way could run."};
  const lane& best = *ranking.front();
  const auto name = [](const lane& each) { return std::string(name_of(each.which)); };
  if (ranking.size() == 1) return {fmt::format("Only {} ran.", name(best)), {name(best)}};

  verdict says;
  for (const lane* each : ranking) {
    if (too_close(best.took, each->took)) says.winners.push_back(name(*each));
  }
  const lane& next = *ranking[1];  // slower for sure where the best won alone
  const lane* const loop = race.loop();
  const bool loop_won = loop != nullptr && too_close(best.took, loop->took);
  const auto gain = [&]() {
    return loop == nullptr ? "" : fmt::format(", {} the loop", times(ratio(loop->took.median, best.took.median)));
  };
  if (says.too_close()) {
    says.sentence = fmt::format("Too close to say: {} took about the same{}.", listed(says.winners),
                                loop_won ? "; going parallel gained nothing" : gain());
  } else if (loop_won) {
    says.sentence = fmt::format("Fastest: the loop. Going parallel does not pay here: {} took {} as long.", name(next),
                                times(ratio(next.took.median, best.took.median)));
  } else {
    says.sentence = "Fastest: " + name(best) + gain();
    if (&next != loop)
      says.sentence += fmt::format("{} {} the next, {}", loop == nullptr ? "," : " and",
                                   times(ratio(next.took.median, best.took.median)), name(next));
    says.sentence += '.';
  }
  return says;
}

}  // namespace

verdict verdict_of(const outcome& race) {
  verdict says = fastest_of(race);
  if (!race.parallel_already()) return says;
  says.sentence += " The work is parallel already";
  if (!race.parallel_by.empty()) says.sentence += fmt::format(" (by {})", race.parallel_by);
  if (race.cores_of_loop() > outcome::several_cores)
    says.sentence += fmt::format(": its loop keeps {:.1f} cores busy", race.cores_of_loop());
  says.sentence += '.';
  return says;
}

}  // namespace race
