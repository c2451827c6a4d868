// The reference back end: the caller runs every slice itself, in order. No process, no shared memory, no copy.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <forkful/detail/job.hpp>
#include <memory>
#include <new>

#include "backends/completion.hpp"
#include "board/chunking.hpp"
#include "board/pace.hpp"
#include "errors/exceptions.hpp"
#include "measure/tally.hpp"
#include "os/cancellation.hpp"
#include "os/floating_point.hpp"
#include "worker/block.hpp"
#include "worker/this_worker.hpp"

namespace forkful::detail {

namespace {

constexpr std::size_t most_unseen = 64;  // slices between two looks at the progress
constexpr std::size_t largest_block = std::size_t{1} << 20;
constexpr std::uint64_t long_ns = 5'000;   // an item that takes so long is worth its clock
constexpr std::size_t measured_items = 8;  // one in so many of the others is measured

struct running_chunk : chunk_io {
  std::vector<failed_slice> failures;
  tally* counted = nullptr;
};

void record_failure(chunk_io& io, std::size_t slice, std::size_t named) {
  auto& mine = static_cast<running_chunk&>(io);
  mine.failures.push_back({slice, capture_exception(named, 0, 1)});
  if (mine.counted->recording()) mine.counted->add_failure(mine.failures.back().failure, now_ns());
}

// A call that the thread which asks for it runs itself: all at once, or, of lazy input, slice by slice as it is asked for.
class serial_call final : public ongoing {
 public:
  serial_call(job& work, const call_options& options, std::shared_ptr<void> owner)
      : job_(work),
        owner_(std::move(owner)),
        options_(options),
        completion_(job_, options_),
        counted_(work, 1, stopwatch::phase::pass_in) {
    counted_.published(work.began_ns);
    if (work.recorded != nullptr) counted_.record(std::move(work.recorded));
  }

  bool advance(const wait_policy& how_long) override {
    const cancellation_deferred whole;
    while (!ended_) {
      measured_ = counted_.recording() || long_ || items_++ % measured_items == 0;
      if (measured_) counted_.watch.enter(stopwatch::phase::pass_in);
      const std::uint64_t began = counted_.watch.since();
      if (options_.stop.stop_requested()) {
        cancel_rest();
        break;
      }
      std::size_t last = job_.slices;
      // In pieces where the caller wants to look in between, or to see afterwards when which slice was run.
      if (options_.stop.stop_possible()) {
        last = std::min(last, next_ + 1);
      } else if (counted_.recording()) {
        last = next_ + next_chunk(job_.slices, job_.slices - next_, 1, options_.chunk, 0, 0);
      } else if (options_.progress) {
        last = std::min(last, next_ + std::min(block_.slices(), most_unseen));
      }
      if (job_.pull != nullptr) {
        job_.forget(job_.caller, next_);
        const std::size_t got = job_.pull(job_.caller, 1);
        if (got == 0) job_.slices = next_;
        last = next_ + got;
      }
      run(last);
      if (measured_) {
        counted_.watch.enter(stopwatch::phase::idle);
        long_ = counted_.watch.since() - began > long_ns;
      }
      ended_ = ended_ || (job_.pull == nullptr ? next_ == job_.slices : last == next_from_);
      report_progress(ended_);
      if (!ended_ && how_long.met()) break;
    }
    return ended_;
  }

  // What is asked for runs to its end before the caller could take it back.
  bool cancel(bool /*kill*/) override { return false; }

  void conclude() override {
    complete_report();
    completion_.conclude();
  }

 private:
  // Runs slices [next_, last).
  void run(std::size_t last) {
    next_from_ = next_;
    if (next_ == last) return;
    chunk_times times;
    times.began = measured_ ? now_ns() : 0;
    if (measured_) counted_.watch.enter(stopwatch::phase::idle, times.began);
    times.ended = times.began;
    const worker_scope here(0);
    const floating_point_scope environment(environment_);
    running_chunk io;
    io.fail = record_failure;
    io.counted = &counted_;
    const std::unique_ptr<void, void (*)(void*)> results(
        job_.make_results != nullptr ? job_.make_results(last - next_) : nullptr,
        job_.drop_results != nullptr ? job_.drop_results : [](void*) {});
    io.results = results.get();
    while (next_ < last) {
      const std::size_t first = next_;
      const std::size_t stop = first + (changes_environment_ ? 1 : std::min(last - first, block_.slices()));
      const std::size_t reached = job_.run(job_.plan, io, first, stop);
      // A callable that changes the environment once will do so again: no slice is to run behind such a one in the same
      // block. (The first block is one slice.)
      if (environment_.install()) changes_environment_ = true;
      next_ = reached < stop ? reached + 1 : reached;
      if (measured_) times.ended = measure(first, times.ended);
      if (!io.failures.empty() && !job_.keep_going) {
        ended_ = true;
        completion_.fail(io.failures.front().slice, io.failures.front().failure);
        break;
      }
    }
    times.first = job_.named(next_from_);
    times.count = job_.named(next_) - times.first;
    times.ran = times.ended - times.began;
    counted_.add(times);
    if (!long_) {
      ++short_items_;
      if (measured_) ++short_measured_;
      short_ns_ += times.ran;
    }
    if (job_.collect == nullptr) return;
    if (measured_) counted_.watch.enter(stopwatch::phase::reassemble, times.ended);
    collect({next_from_, next_, nullptr, io.results, &io.failures, nullptr});
  }

  // The block from `first` to next_ was run since then. Returns now.
  std::uint64_t measure(std::size_t first, std::uint64_t since) {
    const std::uint64_t now = now_ns();
    const std::uint64_t took = now - since;
    if (counted_.may_be_slow(took)) {
      counted_.add_slow({job_.named(first), job_.named(next_) - job_.named(first), 0, std::chrono::nanoseconds(took)});
    }
    block_.adapt(took, short_block_here_ns, largest_block);
    return now;
  }

  // Of slices that were asked for one by one and are short, only some were measured: they stand for the others.
  void complete_report() {
    worker_row& row = counted_.happened.per_worker.front();
    if (!counted_.recording() && row.slices != 0) row.chunks = 1;  // however it was looked at in between
    counted_.happened.chunks = row.chunks;
    if (short_measured_ != 0) {
      const double others = static_cast<double>(short_items_ - short_measured_) / static_cast<double>(short_measured_);
      row.time.compute += std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(short_ns_) * others));
    }
    counted_.finish_into(happened, now_ns());
  }

  // What taking a result throws (a `reduce`) is a failure of the slice whose result it was.
  void collect(finished_slices what) {
    std::size_t taken = 0;
    what.taken = &taken;
    try {
      job_.collect(job_.caller, what);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (...) {
      ended_ = true;
      completion_.fail_to_collect(what.first + taken, capture_exception(job_.named(what.first + taken), 0, 1));
    }
  }

  void cancel_rest() {
    ended_ = true;
    completion_.stop(nullptr);
    completion_.missing(next_);
    completion_.collect_cancelled(next_, job_.slices);
  }

  void report_progress(bool last) {
    const std::uint64_t now = options_.progress ? now_ns() : 0;
    if (completion_.progress_is_due(now, last)) {
      completion_.report_progress(now, {job_.named(next_), job_.all(), {}, ended_ ? 0U : 1U});
    }
  }

  job& job_;
  std::shared_ptr<void> owner_;
  call_options options_;
  std::size_t next_ = 0;       // slices below were run
  std::size_t next_from_ = 0;  // and these by the last run()
  completion completion_;
  bool ended_ = false;
  tally counted_;
  floating_point environment_ = floating_point::here();
  bool changes_environment_ = false;  // slices of this call leave another one
  block_length block_;                // of slices that are timed together
  bool measured_ = true;              // what is going on now
  bool long_ = false;                 // the last item took so long that the next one is measured too
  std::size_t items_ = 0;
  std::size_t short_items_ = 0;
  std::size_t short_measured_ = 0;
  std::uint64_t short_ns_ = 0;
};

class serial_engine final : public engine {
 public:
  explicit serial_engine(const pool_options& options) : engine(options, "serial") {}
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

std::unique_ptr<engine> start_serial(const pool_options& options) { return std::make_unique<serial_engine>(options); }

}  // namespace forkful::detail
