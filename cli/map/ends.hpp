// The main thread while jobs run: signals, ending the jobs when the run is to end, and the progress bar.
#pragma once

#include <chrono>
#include <functional>

#include "map/crew.hpp"
#include "map/guardian.hpp"
#include "map/signals.hpp"

namespace mapping {

class ends {
 public:
  ends(crew& jobs, guardian& groups, signals& incoming, int attention)
      : crew_(jobs), groups_(groups), signals_(incoming), attention_(attention) {}

  /// Waits until all jobs are through and delivered, or, when a signal ends forkful, until none runs. `draw` is called ten times a
  /// second, if it is set.
  void wait(const std::function<void()>& draw);
  /// The signal that ends forkful; 0: none.
  [[nodiscard]] int signal() const noexcept { return signal_; }
  /// All threads of the crew are through.
  [[nodiscard]] bool all_through() const noexcept { return crew_.gone(); }

 private:
  using clock = std::chrono::steady_clock;
  void on_signal(int number);
  void end_jobs();

  crew& crew_;
  guardian& groups_;
  signals& signals_;
  int attention_;
  int signal_ = 0;
  bool told_ = false;    // the jobs, to end
  bool killed_ = false;  // what did not
  clock::time_point kill_at_ = clock::time_point::max();
  clock::time_point leave_at_ = clock::time_point::max();
};

}  // namespace mapping
