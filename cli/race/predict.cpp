#include "race/predict.hpp"

#include <algorithm>

namespace race {

void predict(const work& what, outcome& race) {
  const auto asked = [&](bool in_shared_memory) {
    const bool wanted = std::any_of(race.lanes.begin(), race.lanes.end(), [&](const lane& each) {
      return each.why_not.empty() && (each.which == way::shared) == in_shared_memory;
    });
    return wanted ? what.advised(in_shared_memory) : std::nullopt;
  };
  const auto ordinary = asked(false);
  const auto shared = asked(true);
  if (ordinary) {
    race.advised_parallel = ordinary->already_parallel;
    race.parallel_by = ordinary->parallel_by;
  }
  for (lane& each : race.lanes) {
    const auto& advice = each.which == way::shared ? shared : ordinary;
    if (!advice || !each.why_not.empty()) continue;
    // In shared memory it is a process_pool that runs in place.
    const std::string_view name = each.which == way::shared ? "process" : name_of(each.which);
    for (const forkful::expected_time& expected : advice->ways)
      if (expected.possible && expected.way == name) each.predicted = expected.time;
  }
}

}  // namespace race
