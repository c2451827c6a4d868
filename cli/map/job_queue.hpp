// The jobs of a run, handed out one by one to the runners: what each works on, its number, its place in the order of the output.
//
// Thread-safe: who takes holds the lock, also while input is waited for; the others wait for him. One of the two seams between
// a runner and the run; the other is `turn`.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>

#include "map/job_log.hpp"
#include "map/recipe.hpp"
#include "map/supply.hpp"

namespace mapping {

struct job {
  std::size_t order = 0;  ///< 0, 1, 2, ... as taken
  job_items items{};
  std::string block{};
};

class job_queue {
 public:
  job_queue(supply& from, const recipe& how, job_log& log, std::chrono::nanoseconds delay)
      : from_(from), how_(how), log_(log), delay_(delay) {}

  /// The next job that is not done; nothing at the end, or once closed. Keeps --delay between two. Throws refusal.
  std::optional<job> take();
  /// No more jobs.
  void close() noexcept { closed_.store(true); }
  [[nodiscard]] std::size_t taken() const noexcept { return taken_.load(std::memory_order_relaxed); }
  /// Left out because they are done.
  [[nodiscard]] std::size_t left_out() const noexcept { return left_out_.load(std::memory_order_relaxed); }
  /// Of all; 0: not known.
  [[nodiscard]] std::size_t total() const noexcept;

 private:
  supply& from_;
  const recipe& how_;
  job_log& log_;
  std::chrono::nanoseconds delay_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point next_start_{};
  std::size_t highest_ = 0;
  bool begun_ = false;
  bool ended_ = false;
  std::atomic<std::size_t> taken_{0}, left_out_{0};
  std::atomic<bool> closed_{false};
  std::atomic<bool> exhausted_{false};
};

}  // namespace mapping
