#include "backends/elsewhere/process_call_handle.hpp"

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "backends/inherited.hpp"
#include "memory/arena.hpp"
#include "os/cancellation.hpp"
#include "os/cpu.hpp"
#include "os/identity.hpp"

namespace forkful::detail {

process_call_handle::process_call_handle(std::shared_ptr<coordinator> where, job& work, const call_options& options,
                                         std::shared_ptr<void> owner, bool one_time)
    : coordinator_(std::move(where)), one_time_(one_time), made_by_(this_process()) {
  call_ = coordinator_->begin(work, options, std::move(owner));
  if (options.stop.stop_possible()) waker_.emplace(options.stop, waker{coordinator_});
}

process_call_handle::~process_call_handle() {
  const cancellation_deferred whole;
  if (this_process() != made_by_) {
    never_destroy(std::move(call_));
    never_destroy(std::move(coordinator_));
    return;
  }
  waker_.reset();
  coordinator_->drop(std::move(call_), ended_);
  if (one_time_) coordinator_->rest();
}

bool process_call_handle::advance(const wait_policy& how_long) {
  const cancellation_deferred whole;
  check_process(made_by_);
  if (ended_) return true;
  ended_ = coordinator_->advance(call_, how_long);
  if (ended_ && one_time_) {
    const stopwatch::phase before = call_->counted.watch.now();
    call_->counted.watch.enter(stopwatch::phase::start);
    if (call_->counted.recording()) coordinator_->look_at_copies(call_->counted.happened);
    coordinator_->rest();
    call_->counted.watch.enter(before);
  }
  return ended_;
}

bool process_call_handle::cancel(bool kill) {
  const cancellation_deferred whole;
  check_process(made_by_);
  return coordinator_->cancel(*call_, kill);
}

bool process_call_handle::begun() {
  const cancellation_deferred whole;
  check_process(made_by_);
  return coordinator_->begun(*call_);
}

void process_call_handle::leave_to(call_port& port) {
  const cancellation_deferred whole;
  check_process(made_by_);
  coordinator_->leave_to(port, *call_, *this);
}

void process_call_handle::conclude() {
  coordinator_->describe(*call_);
  const std::uint64_t now = now_ns();
  call_->counted.finish_into(happened, now);
  arena::own().let_decay(now, now - static_cast<std::uint64_t>(happened.wall.count()));
  if (happened.has_timeline && !one_time_) coordinator_->look_at_copies(happened);
  call_->conclude();
}

worker_settings settings_of(const pool_options& options, const host* around) noexcept {
  return {.on_start = options.on_worker_start,
          .on_exit = options.on_worker_exit,
          .max_slices = options.max_slices_per_worker,
          .max_chunks = options.max_chunks_per_worker,
          .memory = options.worker_memory_limit,
          .around = around,
          .inner_threads = options.inner_threads,
          .pinned = options.pin};
}

void check_attempts(const job& work, const call_options& options) {
  if (options.attempts > 1 && work.mutates && work.locate == nullptr) {
    throw std::invalid_argument(
        "forkful: attempts > 1 in place needs bitwise elements: a crash may leave others half done, and only bitwise "
        "ones can be put back; use attempts = 1, or map the slices to results");
  }
}

void end(coordinator& one) {
  if (std::uncaught_exceptions() == 0) {
    one.finish();
  } else {
    one.terminate();
  }
}

}  // namespace forkful::detail
