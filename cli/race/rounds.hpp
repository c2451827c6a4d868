// The race itself: every way in turns, until the medians are sure or time is up.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "race/outcome.hpp"
#include "race/work.hpp"

namespace race {

/// What is about to happen, for a line that is drawn again and again.
struct news {
  std::string what{};                ///< in a few words
  std::chrono::nanoseconds gone{0};  ///< since the race was begun
  std::chrono::nanoseconds left{0};  ///< at most; 0: not known yet
};

struct rules {
  unsigned workers = 0;    ///< 0: as many as CPUs may be used
  std::size_t rounds = 0;  ///< 0: until every median is known to 2 %, at least 5, in about 3 seconds
  std::span<const way> ways;
  std::function<void(const news&)> progress{};
  /// 0: it takes what it takes. Else it ends within that time, as far as calls let it that have begun: what there is no time for is
  /// left out (outcome::left_out).
  std::chrono::nanoseconds within{0};
  /// Gets, before the race itself begins, how long the loop takes and how long all may take from then on, at most.
  std::function<void(std::chrono::nanoseconds loop, std::chrono::nanoseconds all)> foretell{};
};

/// Throws what a work or a pool throws.
outcome run(const entry& which, const work& what, const rules& how);

}  // namespace race
