// --halt: whether the run has seen enough. Thread-safe.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>

#include "map/options.hpp"

namespace mapping {

class halt {
 public:
  explicit halt(const halting& when) : when_(when) {}

  /// A job has ended. `total`: of jobs, 0 if not known. The moment when to stop, if it is this job that decides it.
  std::optional<halting::moment> ended(bool good, int exit_status, std::size_t total);
  /// What to leave with, if it has stopped the run.
  [[nodiscard]] std::optional<int> status();

 private:
  halting when_;
  std::mutex mutex_;
  std::size_t jobs_ = 0, bad_ = 0;
  std::optional<int> status_;
};

}  // namespace mapping
