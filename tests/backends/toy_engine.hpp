// The smallest back end, written from the page on top of forkful/detail/job.hpp and nothing else: if a case fails here
// alone, the page has left something out. The thread that asks for a call runs its slices, in small chunks; it reads nothing ahead.
#pragma once

#include <algorithm>
#include <forkful/detail/job.hpp>

#include "backends/completion.hpp"
#include "errors/exceptions.hpp"
#include "measure/tally.hpp"
#include "os/cancellation.hpp"
#include "os/floating_point.hpp"
#include "worker/this_worker.hpp"

namespace forkful_tests::toy {
using namespace forkful::detail;
struct running : chunk_io {
  std::vector<failed_slice> failures;
  chunk_times times{.began = now_ns()};
};

class call final : public ongoing {
 public:
  call(job& work, const forkful::call_options& options, std::shared_ptr<void> owner)
      : job_(work), owner_(std::move(owner)), options_(options) {
    if (work.recorded != nullptr) counted_.record(std::move(work.recorded));
    counted_.published(now_ns());
  }

  bool advance(const wait_policy& how_long) override {
    const cancellation_deferred whole;
    try {
      while (!ended_) {
        if (!input_ended_) read();
        if (next_ != known_) run_slice();
        ended_ = ended_ || (input_ended_ && next_ == known_);
        if (!ended_ && options_.stop.stop_requested()) {
          completion_.stop(nullptr);
          completion_.missing(next_);
          completion_.collect_cancelled(next_, job_.slices);
          ended_ = true;
        }
        report_progress(ended_);
        if (how_long.met()) break;
      }
    } catch (...) {
      completion_.stop(std::current_exception());
      ended_ = true;
    }
    return ended_;
  }
  bool cancel(bool /*kill*/) override { return false; }
  void conclude() override {
    counted_.happened.chunks = counted_.happened.per_worker.front().chunks;
    counted_.finish_into(happened, now_ns());
    completion_.conclude();
  }

 private:
  void read() {
    counted_.watch.enter(stopwatch::phase::pass_in);
    job_.forget(job_.caller, next_);
    const std::size_t got = job_.pull(job_.caller, options_.window != 0 ? std::min(most_, options_.window) : most_);
    known_ += got;
    input_ended_ = got == 0;
    if (input_ended_) job_.slices = known_;
    counted_.watch.enter(stopwatch::phase::idle);
  }

  void run_slice() {
    const std::size_t last = next_ + std::min(known_ - next_, most_);
    running io;
    io.first = next_;
    io.fail = [](chunk_io& mine, std::size_t slice, std::size_t named) {
      static_cast<running&>(mine).failures.push_back({slice, capture_exception(named, 0, 1)});
    };
    const std::unique_ptr<void, void (*)(void*)> results(
        job_.make_results != nullptr ? job_.make_results(last - next_) : nullptr, job_.drop_results);
    io.results = results.get();
    while (next_ != last && !ended_ && !options_.stop.stop_requested()) {
      run_next(io);
      ended_ = !io.failures.empty() && !job_.keep_going;
      report_progress(false);
    }
    io.times.ended = now_ns();
    io.times.first = job_.named(io.first);
    io.times.count = job_.named(next_) - io.times.first;
    counted_.add(io.times);
    for (const failed_slice& one : io.failures) {
      completion_.fail(one.slice, one.failure);
      counted_.add_failure(one.failure, io.times.ended);
    }
    if (job_.collect == nullptr || next_ == io.first) return;
    counted_.watch.enter(stopwatch::phase::reassemble);
    std::size_t taken = 0;
    try {
      job_.collect(job_.caller, {io.first, next_, nullptr, io.results, &io.failures, &taken});
    } catch (const std::bad_alloc&) {
      throw;
    } catch (...) {
      completion_.fail_to_collect(io.first + taken, capture_exception(job_.named(io.first + taken), 0, 1));
      ended_ = true;
    }
    counted_.watch.enter(stopwatch::phase::idle);
  }

  void run_next(running& io) {
    const worker_scope here(0);
    const floating_point_scope callers(environment_);
    const std::uint64_t began = now_ns();
    job_.run(job_.plan, io, next_, next_ + 1);
    const std::uint64_t took = now_ns() - began;
    io.times.ran += took;
    const std::size_t named = job_.named(next_++);
    counted_.add_slow({named, job_.named(next_) - named, 0, std::chrono::nanoseconds(took)});
  }

  void report_progress(bool last) {
    const std::uint64_t now = now_ns();
    if (completion_.progress_is_due(now, last))
      completion_.report_progress(now, {job_.named(next_), job_.all(), {}, 1});
  }

  job& job_;
  std::shared_ptr<void> owner_;
  forkful::call_options options_;
  completion completion_{job_, options_};
  tally counted_{job_, 1, stopwatch::phase::idle};
  floating_point environment_ = floating_point::here();
  bool input_ended_ = job_.pull == nullptr;
  bool ended_ = false;
  std::size_t known_ = input_ended_ ? job_.slices : 0;           // slices that are there
  std::size_t next_ = 0;                                         // those below have run
  std::size_t most_ = options_.chunk != 0 ? options_.chunk : 8;  // in a chunk
};

class engine final : public forkful::detail::engine {
  std::atomic<bool> closed_{false};

 public:
  using forkful::detail::engine::engine;
  [[nodiscard]] unsigned size() const noexcept override { return 1; }
  std::unique_ptr<ongoing> begin(job& work, const forkful::call_options& how, std::shared_ptr<void> owner) override {
    if (closed_) throw forkful::pool_closed("this pool was terminated: call restart() to use it again");
    return std::make_unique<call>(work, how, std::move(owner));
  }
  void terminate() override { closed_ = true; }
  void restart(unsigned /*always one*/) override { closed_ = false; }
};
}  // namespace forkful_tests::toy
