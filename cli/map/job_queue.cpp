#include "map/job_queue.hpp"

#include <algorithm>
#include <thread>

namespace mapping {

std::optional<job> job_queue::take() {
  const std::lock_guard lock(mutex_);
  if (!begun_) highest_ = log_.highest();
  begun_ = true;
  while (!ended_ && !closed_.load()) {
    std::optional<portion> taken = from_.take();
    if (!taken) break;
    job next{.order = taken_.load(std::memory_order_relaxed),
             .items = {.units = std::move(taken->units)},
             .block = std::move(taken->block)};
    if (log_.resumes() && log_.done(how_.shown(next.items, true), next.items.number)) {
      left_out_.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    if (next.items.number == 0) next.items.number = ++highest_;
    if (delay_.count() > 0) {
      while (!closed_.load() && std::chrono::steady_clock::now() < next_start_) {
        constexpr std::chrono::nanoseconds look_each = std::chrono::milliseconds(50);
        std::this_thread::sleep_for(
            std::min<std::chrono::nanoseconds>(look_each, next_start_ - std::chrono::steady_clock::now()));
      }
      if (closed_.load()) break;
      next_start_ = std::chrono::steady_clock::now() + delay_;
    }
    taken_.fetch_add(1, std::memory_order_relaxed);
    return next;
  }
  if (!closed_.load()) exhausted_.store(true, std::memory_order_relaxed);
  ended_ = true;
  return {};
}

std::size_t job_queue::total() const noexcept {
  if (exhausted_.load(std::memory_order_relaxed)) return taken() + left_out();
  return from_.total();
}

}  // namespace mapping
