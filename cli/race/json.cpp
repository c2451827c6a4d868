// A race as JSON, for programs: every time of every round.
#include <forkful/version.hpp>
#include <nlohmann/json.hpp>

#include "race/texts.hpp"

namespace race {

std::string as_json(const outcome& race) {
  using json = nlohmann::ordered_json;
  const verdict says = verdict_of(race);
  json ways = json::array();
  for (const lane& each : race.lanes) {
    json way{{"way", name_of(each.which)}, {"ran", each.ran()}};
    if (each.ran()) {
      json times = json::array();
      for (const auto time : each.times) times.push_back(time.count());
      const auto gain = speed_up(race, each);
      way.update({{"median_ns", each.took.median.count()},
                  {"low_ns", each.took.low.count()},
                  {"high_ns", each.took.high.count()},
                  {"times_ns", std::move(times)},
                  {"speed_up", gain ? json(*gain) : json()},
                  {"bytes_in", each.drawn ? json(each.happened.bytes_in) : json()},
                  {"bytes_out", each.drawn ? json(each.happened.bytes_out) : json()},
                  {"peak_memory_bytes", each.drawn ? json(each.happened.peak_memory) : json()},
                  {"deaths", each.drawn ? json(each.happened.deaths) : json()},
                  {"same_results", each.difference.empty()},
                  {"difference", each.difference}});
    } else {
      way["why_not"] = each.why_not;
    }
    way["predicted_ns"] = each.predicted ? json(each.predicted->count()) : json();
    ways.push_back(std::move(way));
  }
  const json all{{"forkful", FORKFUL_VERSION},
                 {"work", race.work},
                 {"slices", race.slices},
                 {"workers", race.workers},
                 {"rounds", race.rounds},
                 {"ways", std::move(ways)},
                 {"same_results", race.all_same()},
                 {"remark", race.remark},
                 {"noise", race.noise},
                 {"left_out", race.left_out},
                 {"cores_of_loop", race.cores_of_loop()},
                 {"already_parallel", race.parallel_already()},
                 {"parallel_by", race.parallel_by},
                 {"winners", says.winners},
                 {"too_close", says.too_close()},
                 {"verdict", says.sentence}};
  // What a file is called may be anything; text that is no UTF-8 gets replacement characters.
  return all.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace race
