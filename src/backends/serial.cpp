// The reference back end: the caller eats every slice itself, in order. No process, no shared memory, no copy.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <forkful/detail/job.hpp>
#include <memory>
#include <new>

#include "errors/exceptions.hpp"
#include "worker/place.hpp"

namespace forkful::detail {

namespace {

struct eating : chunk_io {
  std::vector<failed_slice> failures;
};

void record_failure(chunk_io& io, std::size_t slice, std::size_t named) {
  static_cast<eating&>(io).failures.push_back({slice, capture_exception(named, 0, 1)});
}

// A call that the thread which asks for it eats itself: all at once, or, of lazy input, slice by slice as it is asked for.
class serial_call final : public ongoing {
 public:
  serial_call(job& work, const call_options& options, std::shared_ptr<void> owner)
      : job_(work), owner_(std::move(owner)), options_(options) {
    happened.way = "serial";
  }

  bool advance(const patience& how_long) override {
    while (!ended_) {
      if (options_.stop.stop_requested()) {
        cancel_rest();
        break;
      }
      std::size_t last = job_.slices;
      // One by one where somebody wants to look in between.
      if (options_.progress || options_.stop.stop_possible()) last = std::min(last, next_ + 1);
      if (job_.pull != nullptr) {
        const std::size_t got = job_.pull(job_.caller, 1);
        if (got == 0) job_.slices = next_;
        last = next_ + got;
      }
      eat(last);
      ended_ = ended_ || (job_.pull == nullptr ? next_ == job_.slices : last == next_from_);
      tell_progress(ended_);
      if (!ended_ && how_long.met()) break;
    }
    return ended_;
  }

  // What is asked for runs to its end before anybody could take it back.
  bool cancel(bool /*kill*/) override { return false; }

  void conclude() override {
    if (failed_) rethrow(lowest_);
    if (cancelled_ && !job_.keep_going) rethrow(cancelled_failure(job_.named(next_), 0, 1));
  }

 private:
  // Eats slices [next_, last).
  void eat(std::size_t last) {
    next_from_ = next_;
    if (next_ == last) return;
    const worker_scope here(0);
    eating io;
    io.fail = record_failure;
    const std::unique_ptr<void, void (*)(void*)> results(
        job_.make_results != nullptr ? job_.make_results(last - next_) : nullptr,
        job_.drop_results != nullptr ? job_.drop_results : [](void*) {});
    io.results = results.get();
    while (next_ < last) {
      const std::size_t reached = job_.run(job_.plan, io, next_, last);
      next_ = reached < last ? reached + 1 : reached;
      if (!io.failures.empty() && !job_.keep_going) {
        failed_ = ended_ = true;
        lowest_ = io.failures.front().failure;
        break;
      }
    }
    if (job_.collect != nullptr) collect({next_from_, next_, nullptr, io.results, &io.failures, nullptr});
    happened.chunks = 1;
  }

  // What taking a result throws (a `reduce`) is a failure of the slice whose result it was.
  void collect(settled what) {
    std::size_t taken = 0;
    what.taken = &taken;
    try {
      job_.collect(job_.caller, what);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (...) {
      if (failed_) return;
      failed_ = ended_ = true;
      lowest_ = capture_exception(job_.named(what.first + taken), 0, 1);
    }
  }

  void cancel_rest() {
    ended_ = cancelled_ = true;
    if (!job_.keep_going || job_.collect == nullptr) return;
    std::vector<failed_slice> missing;
    for (std::size_t slice = next_; slice < job_.slices; ++slice) {
      missing.push_back({slice, cancelled_failure(job_.named(slice), 0, 1)});
    }
    const std::unique_ptr<void, void (*)(void*)> nothing(
        job_.make_results != nullptr ? job_.make_results(0) : nullptr,
        job_.drop_results != nullptr ? job_.drop_results : [](void*) {});
    collect({next_, job_.slices, nullptr, nothing.get(), &missing, nullptr});
  }

  void tell_progress(bool last) {
    if (!options_.progress) return;
    const auto now = std::chrono::steady_clock::now();
    if (!last && now - told_ < std::chrono::milliseconds(100)) return;
    told_ = now;
    options_.progress({job_.named(next_), job_.all(), now - began, ended_ ? 0U : 1U});
  }

  job& job_;
  std::shared_ptr<void> owner_;
  call_options options_;
  std::size_t next_ = 0;       // slices below were eaten
  std::size_t next_from_ = 0;  // and these by the last eat()
  slice_failure lowest_;
  bool failed_ = false;
  bool cancelled_ = false;
  bool ended_ = false;
  std::chrono::steady_clock::time_point told_ = began;
};

class serial_engine final : public engine {
 public:
  [[nodiscard]] unsigned size() const noexcept override { return 1; }

  std::unique_ptr<ongoing> begin(job& work, const call_options& options, std::shared_ptr<void> owner) override {
    if (closed_.load(std::memory_order_relaxed)) {
      throw pool_closed("this pool was terminated: call restart() to use it again, or make a new pool");
    }
    return std::make_unique<serial_call>(work, options, std::move(owner));
  }
  void terminate() override { closed_.store(true, std::memory_order_relaxed); }
  void restart(unsigned /*always one*/) override { closed_.store(false, std::memory_order_relaxed); }

 private:
  std::atomic<bool> closed_{false};  // relaxed: a flag that guards nothing else
};

}  // namespace

std::unique_ptr<engine> start_serial(const pool_options& /*a serial pool has no workers to set up*/) {
  return std::make_unique<serial_engine>();
}

}  // namespace forkful::detail
