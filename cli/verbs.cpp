// Which verbs there are.
#include "verb.hpp"

namespace cli {

std::vector<std::unique_ptr<verb>> verbs() {
  std::vector<std::unique_ptr<verb>> all;
  all.push_back(map_verb());
  all.push_back(tour_verb());
  all.push_back(race_verb());
  all.push_back(advise_verb());
  all.push_back(doctor_verb());
  all.push_back(explain_verb());
  return all;
}

}  // namespace cli
