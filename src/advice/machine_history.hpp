// Several measurements of one machine, and what they say together: the best of them, since other programs only ever add to a cost.
//
// Owns nothing. Pure: the time and how busy the machine is are given. So the file that stores all this is poisoned by no single
// moment: what was measured amid noise is outdone by the first measurement in quiet.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "advice/machine_figures.hpp"
#include "measure/shown_costs.hpp"

namespace forkful::detail {

// More disturbance or spread than that, and figures are doubtful.
constexpr double quiet_enough = 0.15;
constexpr double steady_enough = 0.25;

struct machine_history {
  std::vector<machine> measured{};  // oldest first
  shown_figures shown{};            // by real calls; 0 where they showed nothing

  // At most six are kept: then the most disturbed one goes.
  void add(const machine&);
  // What real calls showed of this or another process; the better of each counts.
  void add(const shown_figures&);
};

// Of costs the least, of rates the most that was measured; of `wake` and `crowded_wake`, which vary by nature, the median of the
// quietest measurements. What real calls showed counts where it is better. A figure that is twice as good as all others measured
// in quiet is a wonder, and is not believed. `disturbance` and `spread` are those of the quietest. There is at least one measurement.
[[gnu::visibility("default")]] machine best_of(const machine_history&);

// Whether its figures may be far off.
[[gnu::visibility("default")]] bool doubtful(const machine&) noexcept;

// Whether one more measurement is worth its 50 ms at `now` (seconds since 1970), while `others` (a share of all cores) are busy: there
// is none; they are few yet, and the last is a while ago; or all were disturbed, and it is quieter now.
bool worth_measuring(const machine_history&, double now, double others) noexcept;

// When and how figures that are doubtful were taken, and what to do about it, as one sentence; else empty.
[[gnu::visibility("default")]] std::string doubt_about(const machine&);

// "2024-05-01 at 12:30", local time; empty where it is not known.
[[gnu::visibility("default")]] std::string date_of(double taken);

}  // namespace forkful::detail
