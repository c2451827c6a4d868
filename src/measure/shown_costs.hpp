// What the calls of this process showed of the machine's costs, as they went by: for advice, which else has measurements alone.
//
// Owns a few numbers. A figure counts as shown by eight calls in a row that all had it, so the slowest of them decides: a call that
// seemed quick by accident changes nothing. Of all such groups the best one is kept. Invariant: nobody waits here; of calls that end at
// the same time in several threads only one is looked at.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <forkful/report.hpp>

namespace forkful::detail {

// Seconds, and bytes a second. 0: no calls have shown it.
struct shown_figures {
  struct way {
    double call = 0;      // as in way_costs
    double wake = 0;      // as in way_costs, of a pool that had been idle for a millisecond
    double hand_out = 0;  // as in way_costs
  };
  way threads{};
  way processes{};
  double copy_rate = 0;        // at least so fast did callers encode
  double fresh_copy_rate = 0;  // ... and decode
};

// The least of what eight in a row did not exceed. Not thread-safe.
class shown_least {
 public:
  // `value` is more than 0.
  void saw(double value) noexcept;
  [[nodiscard]] double known() const noexcept { return best_; }

 private:
  static constexpr unsigned in_a_row = 8;
  unsigned count_ = 0;
  double most_ = 0;
  double best_ = 0;
};

class shown_costs {
 public:
  // A call that has ended, on a pool that had no other since `idle` before it began (0: not known). Cost: a few nanoseconds.
  void saw(const report& one, std::chrono::nanoseconds idle) noexcept;
  [[nodiscard]] shown_figures so_far() const noexcept;

 private:
  struct way {
    shown_least call;
    shown_least wake;
    shown_least hand_out;
  };
  void look_at(way&, const report&, std::chrono::nanoseconds idle) noexcept;

  mutable std::atomic_flag busy_{};
  way threads_{};
  way processes_{};
  shown_least copying_{};        // seconds a byte
  shown_least fresh_copying_{};  // seconds a byte
};

// Of this process.
shown_costs& shown_by_calls() noexcept;

}  // namespace forkful::detail
