#include "backends/completion.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "board/pace.hpp"
#include "errors/exceptions.hpp"

namespace forkful::detail {

namespace {
constexpr std::size_t most_at_once = 256;  // slices reported as cancelled in one go
}

void completion::fail(std::size_t slice, const slice_failure& failure, std::function<slice_failure()> in_full) {
  if (slice >= lowest_slice_) return;
  lowest_ = failure;
  lowest_in_full_ = std::move(in_full);
  lowest_slice_ = slice;
}

void completion::fail_to_collect(std::size_t slice, const slice_failure& failure) {
  if (!job_.keep_going) {
    fail(slice, failure);
    return;
  }
  try {
    rethrow(failure);
  } catch (...) {
    stop(std::current_exception());
  }
}

void completion::stop(std::exception_ptr reason) noexcept {
  stopped_ = true;
  if (reason != nullptr && reason_ == nullptr) reason_ = std::move(reason);
}

void completion::missing(std::size_t slice) noexcept { missing_ = std::min(missing_, slice); }

void completion::collect_cancelled(std::size_t first, std::size_t last) const {
  if (!job_.keep_going || job_.collect == nullptr || first >= last) return;
  const cancelled_slices pattern(job_.verb);
  const std::unique_ptr<void, void (*)(void*)> no_results(
      job_.make_results != nullptr ? job_.make_results(0) : nullptr,
      job_.drop_results != nullptr ? job_.drop_results : [](void*) {});
  std::vector<failed_slice> missing;
  missing.reserve(std::min(last - first, most_at_once));
  while (first < last) {
    const std::size_t end = std::min(last, first + most_at_once);
    missing.clear();
    for (std::size_t slice = first; slice < end; ++slice) {
      missing.push_back({slice, pattern.failure(job_.named(slice))});
    }
    source no_frame(nullptr, 0);
    std::size_t taken = 0;
    job_.collect(job_.caller, {first, end, &no_frame, no_results.get(), &missing, &taken});
    first = end;
  }
}

bool completion::progress_is_due(std::uint64_t now, bool last) const noexcept {
  return options_.progress && (last || now - progress_reported_ >= progress_ns);
}

void completion::report_progress(std::uint64_t now, progress so_far) {
  progress_reported_ = now;
  so_far.elapsed = std::chrono::nanoseconds(now - job_.began_ns);
  options_.progress(so_far);
}

slice_failure completion::lowest_in_full() const {
  try {
    return lowest_in_full_ ? lowest_in_full_() : lowest_;
  } catch (const std::bad_alloc&) {
    return lowest_;
  }
}

void completion::conclude() const {
  if (reason_ != nullptr) std::rethrow_exception(reason_);
  if (failed() && !job_.keep_going) rethrow(lowest_in_full());
  if (stopped_ && missing_ != none && !job_.keep_going) {
    rethrow(cancelled_failure(job_.named(missing_), 0, 1, job_.verb));
  }
  if (input_failed_ != nullptr) std::rethrow_exception(input_failed_);
}

}  // namespace forkful::detail
