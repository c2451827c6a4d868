// All calls of a pool, added up as they end: what totals() gives, and what a program's report shows first.
//
// Owns the sums. Thread-safe; futures and imaps hold on to it, so that it may outlive its pool. Invariants:
// 1. The rows of the total, and its caller's, add up to its wall, which is the time in which at least one call was under way.
// 2. A forked child has a copy. If a thread was counting at that very moment, the copy is half written, and the child begins at zero.
// Cost: some 60 ns a call, and of timelines what was recorded once more.
#pragma once

#include <chrono>
#include <cstdint>
#include <forkful/report.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "measure/coverage.hpp"
#include "measure/whole_timeline.hpp"
#include "os/inherited_lock.hpp"

namespace forkful::detail {

class totals {
 public:
  totals() noexcept;
  totals(const totals&) = delete;
  totals& operator=(const totals&) = delete;
  ~totals();

  // A call that has ended. Without memory it is left out.
  void add(const report& one) noexcept;
  void reset() noexcept;
  // All but what is said of the figures. Throws std::bad_alloc.
  [[nodiscard]] report so_far() const;

 private:
  struct sums {
    report all{.calls = 0};                                  // its times are not yet fitted to the wall
    std::vector<std::pair<std::string, std::size_t>> verbs;  // and how often
    std::size_t last_verb = 0;
    coverage wall;
    std::chrono::nanoseconds ended{0};  // the last call, as CLOCK_MONOTONIC; 0: there was none
    std::chrono::nanoseconds asked{0};  // how long a thread was busy with a call or waited for it, call by call
    std::unique_ptr<whole_timeline> recorded;
  };
  // Holds the lock.
  class guard;
  static void make_room(sums&, const report& one);
  static void count(sums&, const report& one);

  mutable inherited_lock lock_;
  union {
    mutable sums sums_;  // a union: what a fork left half written is never destroyed
  };
};

}  // namespace forkful::detail
