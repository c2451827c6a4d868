// Things that take a time each and all go on at the same pace, which changes: processor sharing. Owns their ends.
//
// A clock of its own counts how far everything has come; an entry with `length` to go leaves when that clock shows
// `length` more. So a change of pace costs nothing, however many there are (virtual time, as in Demers, Keshav and
// Shenker, "Analysis and Simulation of a Fair Queueing Algorithm", SIGCOMM 1989).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <queue>
#include <utility>
#include <vector>

namespace forkful::detail {

class paced_queue {
 public:
  void enter(std::uint32_t who, double length) { ends_.emplace(clock_ + length, who); }
  [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
  [[nodiscard]] bool empty() const noexcept { return ends_.empty(); }
  // Seconds until the first is done, at that pace.
  [[nodiscard]] double until_first(double pace) const {
    if (ends_.empty() || pace <= 0) return std::numeric_limits<double>::infinity();
    return std::max(0.0, ends_.top().first - clock_) / pace;
  }
  void pass(double seconds, double pace) noexcept { clock_ += seconds * pace; }
  // The entry that is done first; those that end at the same time by their number.
  std::uint32_t leave() {
    clock_ = std::max(clock_, ends_.top().first);
    const std::uint32_t who = ends_.top().second;
    ends_.pop();
    return who;
  }

 private:
  using end = std::pair<double, std::uint32_t>;
  double clock_ = 0;
  std::priority_queue<end, std::vector<end>, std::greater<>> ends_;
};

}  // namespace forkful::detail
