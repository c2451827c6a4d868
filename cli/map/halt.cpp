#include "map/halt.hpp"

namespace mapping {

std::optional<halting::moment> halt::ended(bool good, int exit_status, std::size_t total) {
  const std::lock_guard lock(mutex_);
  ++jobs_;
  if (!good) ++bad_;
  if (when_.when == halting::moment::never || status_) return {};
  const bool counts = when_.what == halting::kind::done || (when_.what == halting::kind::success) == good;
  if (!counts) return {};
  const std::size_t so_far = when_.what == halting::kind::done      ? jobs_
                             : when_.what == halting::kind::success ? jobs_ - bad_
                                                                    : bad_;
  if (when_.count != 0) {
    if (so_far < when_.count) return {};
  } else {
    // As GNU parallel: of all jobs, where their number is known, and not before three.
    constexpr std::size_t least = 3;
    const auto of = static_cast<double>(total != 0 ? total : jobs_);
    if (so_far < least || static_cast<double>(so_far) < when_.percent / 100 * of) return {};
  }
  status_ = when_.what == halting::kind::success ? 0 : exit_status;
  return when_.when;
}

std::optional<int> halt::status() {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace mapping
