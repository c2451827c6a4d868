// What would have been faster, from what was measured: at most two sentences, the costliest first.
#pragma once

#include <string>
#include <vector>

#include "map/measures.hpp"
#include "os/command.hpp"

namespace mapping {

struct advice_facts {
  unsigned cpus = 1;           ///< that may be used
  double command_start = 0;    ///< seconds that starting a command and its end take here
  bool one_item_a_job = true;  ///< so that several may be given to one
  bool ordered = true;
  std::size_t held = 0;  ///< bytes of output, at most
  std::string command{};
};

std::vector<std::string> advice_on(const measures& run, const advice_facts& facts);

/// The machine's figure: the median of 20 x /bin/true. 0 if it cannot be measured. Cost: 10 ms.
double measure_command_start(const forkful::detail::command_setting& setting);

}  // namespace mapping
