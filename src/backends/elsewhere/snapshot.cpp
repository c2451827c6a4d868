// The back end that takes a photograph: workers are forked for each call, so that they see the caller's memory as it is at that
// moment, and end with it.
//
// Owns coordinators, one for each call that goes on at the same time; those that rest are used again. Invariant: a call is begun on
// a coordinator without workers, so that all of its workers are photographs of its own beginning (or, in replacements, of later).
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "backends/elsewhere/process_call_handle.hpp"
#include "backends/engine.hpp"
#include "backends/inherited.hpp"
#include "measure/listener.hpp"
#include "os/cancellation.hpp"
#include "os/identity.hpp"

namespace forkful::detail {

namespace {

class snapshot_engine final : public engine {
 public:
  snapshot_engine(const pool_options& options, const host* around)
      : engine(options, "snapshot"),
        options_(options),
        around_(around),
        workers_(checked_workers(options.workers)),
        made_by_(this_process()) {
    // Without a first board the pool could not work: better to say so now.
    coordinators_.push_back(make_coordinator(workers_));
  }
  ~snapshot_engine() override {
    const cancellation_deferred whole;
    forget_report(number());
    for (auto& one : coordinators_) {
      if (this_process() != made_by_) {
        never_destroy(std::move(one));
      } else {
        end(*one);
        one.reset();
      }
    }
  }

  // Without the mutex: a slice may ask, in a worker that was forked while it was held.
  [[nodiscard]] unsigned size() const noexcept override { return workers_.load(std::memory_order_relaxed); }

  std::unique_ptr<ongoing> begin(job& work, const call_options& options, std::shared_ptr<void> owner) override {
    check_process(made_by_);
    check_attempts(work, options);
    leaving retired;
    // Submitted calls go on by themselves: no more of them at a time than workers.
    const bool submitted = owner != nullptr && work.pull == nullptr;
    for (;;) {
      std::shared_ptr<coordinator> oldest;
      {
        const std::lock_guard lock(mutex_);
        if (closed_) {
          throw pool_closed(
              "this pool was terminated, so it forks no workers: call restart() to use it again, or make a new pool");
        }
        std::size_t useful = workers_;
        if (work.pull == nullptr) useful = std::clamp<std::size_t>(work.slices, 1, useful);
        std::shared_ptr<coordinator> resting = find_resting(static_cast<unsigned>(useful), submitted, oldest, retired);
        if (resting != nullptr) {
          // With the mutex held: no other thread may begin a call there, its workers would be no photograph of now.
          return std::make_unique<process_call_handle>(std::move(resting), work, options, std::move(owner), true);
        }
      }
      retired.calls.clear();
      retired.coordinators.clear();
      oldest->drain();
    }
  }

  void terminate() override {
    const cancellation_deferred whole;
    check_process(made_by_);
    std::vector<std::shared_ptr<coordinator>> all;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      all.swap(coordinators_);
    }
    for (const auto& one : all) one->terminate();
  }

  // Every call has new workers anyway.
  void restart(unsigned workers) override {
    const cancellation_deferred whole;
    check_process(made_by_);
    const std::lock_guard lock(mutex_);
    closed_ = false;
    if (workers != 0) workers_ = checked_workers(workers);
  }

 private:
  // Destroyed when the mutex is released: calls may have user's objects to destroy. They go before the coordinators
  // that they lie in.
  struct leaving {
    std::vector<std::shared_ptr<coordinator>> coordinators;
    std::vector<std::shared_ptr<retirable>> calls;  // last, and so destroyed first
  };

  // Forked, whatever the options say: workers are to see the caller's memory.
  [[nodiscard]] std::shared_ptr<coordinator> make_coordinator(unsigned workers) const {
    return std::make_shared<coordinator>(workers, start_method::fork, settings_of(options_, around_));
  }

  // A coordinator that no call uses; null, and the one that was first taken, when there are enough in use.
  std::shared_ptr<coordinator> find_resting(unsigned workers, bool bounded, std::shared_ptr<coordinator>& oldest,
                                            leaving& retired) {
    std::size_t busy = 0;
    for (std::size_t i = 0; i < coordinators_.size();) {
      const auto one = coordinators_[i];
      // A coordinator that is held only by futures which were not got yet rests too.
      retired.coordinators.push_back(one);
      const bool rests = one->rest(&retired.calls);
      if (rests && one->workers() == workers) return one;
      if (rests) {  // of another size: it would keep its workers' heaps for nothing
        coordinators_.erase(coordinators_.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      // An imap half walked ends when its caller likes: not to be waited for.
      if (one->ends_by_itself() && ++busy == 1) oldest = one;
      ++i;
    }
    if (bounded && busy >= workers_) return nullptr;
    return coordinators_.emplace_back(make_coordinator(workers));
  }

  pool_options options_;
  const host* around_;
  mutable std::mutex mutex_;  // of all below
  std::atomic<unsigned> workers_;
  bool closed_ = false;
  std::vector<std::shared_ptr<coordinator>> coordinators_;
  std::uint64_t made_by_;
};

}  // namespace

std::unique_ptr<engine> start_snapshot(const pool_options& options, const host* around) {
  const cancellation_deferred whole;
  return std::make_unique<snapshot_engine>(options, around);
}

}  // namespace forkful::detail
