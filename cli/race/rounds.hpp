// The race itself: every way in turns, until the medians are sure or time is up.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "race/outcome.hpp"
#include "race/work.hpp"

namespace race {

struct rules {
  unsigned workers = 0;    ///< 0: as many as CPUs may be used
  std::size_t rounds = 0;  ///< 0: until every median is known to 2 %, at least 5, in about 3 seconds
  std::span<const way> ways;
  /// Gets what is about to happen, in a few words, for a line that is drawn again and again.
  std::function<void(const std::string&)> progress;
};

/// Throws what a work or a pool throws.
outcome run(const entry& which, const work& what, const rules& how);

}  // namespace race
