#include "memory/budget.hpp"

#include <algorithm>

#include "os/data_limit.hpp"

namespace forkful::detail {

bool memory_budget::begin(std::size_t bytes) noexcept {
  start_ = private_data();
  before_ = data_limit();
  if (start_ == 0 || bytes > before_ - std::min(before_, start_)) return start_ != 0;  // there is a lower limit already
  limit_ = bytes;
  step_ = std::clamp<std::size_t>(bytes / 16, 4096, std::size_t{1} << 20);
  return limit_data(start_ + limit_);
}

bool memory_budget::take(std::size_t bytes) noexcept {
  if (limit_ == 0) return true;
  if (!lifted_) {
    if (bytes > limit_ || taken_ > limit_ - bytes) return false;
    // The kernel refuses private memory, not shared: ask how much there is of it before more than a little is taken.
    if (taken_ + bytes >= drawn_ + step_ && private_data() + taken_ + bytes > start_ + limit_) return false;
  }
  taken_ += bytes;
  draw();
  return true;
}

void memory_budget::give(std::size_t bytes) noexcept {
  if (limit_ == 0) return;
  taken_ -= std::min(taken_, bytes);  // it may be the caller's block
  draw();
}

void memory_budget::hand_over() noexcept {
  taken_ = 0;
  if (drawn_ != 0) draw();
}

// Changes the kernel's limit, when it is worth a system call.
void memory_budget::draw() noexcept {
  const bool far = taken_ >= drawn_ + step_ || drawn_ >= taken_ + step_ || taken_ == 0;
  if (lifted_ || taken_ == drawn_ || !far) return;
  drawn_ = taken_;
  limit_data(start_ + limit_ - std::min(limit_, drawn_));
}

memory_budget::lifted::lifted(memory_budget& budget) noexcept : budget_(budget) {
  if (budget_.limit_ == 0) return;
  budget_.lifted_ = true;
  limit_data(budget_.before_);
}

memory_budget::lifted::~lifted() {
  if (budget_.limit_ == 0) return;
  budget_.lifted_ = false;
  budget_.drawn_ = budget_.taken_;
  limit_data(budget_.start_ + budget_.limit_ - std::min(budget_.limit_, budget_.drawn_));
}

}  // namespace forkful::detail
