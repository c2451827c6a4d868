// How long a race will take, and what of it is left out so that it ends in time. Pure: the times come from outside.
//
// Owns how long each way took when it last ran, with all that is done about it. A call that is running cannot be ended, so what
// may begin is decided before, by those times; a way that never ran is taken to be as slow as the loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <span>

#include "race/way.hpp"

namespace race {

class schedule {
 public:
  using time = std::chrono::nanoseconds;

  /// `within`: 0: nobody said. `rounds`: 0: until the medians are sure.
  schedule(time within, std::size_t rounds) : within_(within), rounds_(rounds) {}

  /// That way ran, with what comes before and after.
  void took(way which, time all) { last_[which] = all; }
  [[nodiscard]] time of(way which) const;
  [[nodiscard]] time round(std::span<const way> ways) const;

  /// After so many rounds that took so long together, another one is due, as far as it depends on time alone.
  [[nodiscard]] bool another_round(std::size_t rounds, time took) const;
  /// Whether what takes `needs` may begin, `elapsed` after the race was begun.
  [[nodiscard]] bool fits(time elapsed, time needs) const { return within_.count() == 0 || elapsed + needs <= within_; }
  /// What follows the rounds: the prediction, and a call of each way by workers that are started for it.
  [[nodiscard]] time ending(std::span<const way> ways) const;
  /// How long it may take from now on, at most, when `warm` of the ways have run already, and no round.
  [[nodiscard]] time at_most(time elapsed, std::span<const way> ways, std::size_t warm) const;

 private:
  time within_;
  std::size_t rounds_;
  std::map<way, time> last_{};
};

inline constexpr std::size_t fewest_rounds = 5;
inline constexpr std::size_t most_rounds = 1001;
inline constexpr std::chrono::seconds enough_time{3};
inline constexpr std::chrono::seconds too_long{12};  // where even five rounds take longer than this, fewer must do

}  // namespace race
