// Why a run does not begin, or cannot go on: one sentence, and what forkful leaves with.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace mapping {

/// What `forkful map` leaves with: docs/map.md lists them.
enum status : int {
  all_well = 0,
  job_failed = 1,
  misused = 2,
  own_failure = 3,
  timed_out = 124,
  not_executable = 126,
  not_found = 127
};

class refusal : public std::runtime_error {
 public:
  refusal(status leaves, const std::string& sentence) : std::runtime_error(sentence), leaves_(leaves) {}
  [[nodiscard]] status leaves() const noexcept { return leaves_; }

 private:
  status leaves_;
};

}  // namespace mapping
