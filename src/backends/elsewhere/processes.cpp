// The back end whose workers stay from call to call: one coordinator, until it is started anew.
//
// Owns the coordinator. Its mutex guards the pointer; the other one keeps calls from beginning on a coordinator that is about to end.
#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "backends/elsewhere/process_call_handle.hpp"
#include "backends/engine.hpp"
#include "backends/inherited.hpp"
#include "measure/listener.hpp"
#include "os/cancellation.hpp"
#include "os/identity.hpp"

namespace forkful::detail {

namespace {

class process_engine final : public engine {
 public:
  explicit process_engine(const pool_options& options)
      : engine(options, "process"),
        options_(options),
        workers_(checked_workers(options.workers)),
        coordinator_(make_coordinator()),
        made_by_(this_process()) {}
  ~process_engine() override {
    const cancellation_deferred whole;
    forget_report(number());
    if (this_process() != made_by_) {
      never_destroy(std::move(coordinator_));
    } else {
      end(*coordinator_);
      coordinator_.reset();
    }
  }

  [[nodiscard]] unsigned size() const noexcept override { return workers_.load(std::memory_order_relaxed); }

  std::unique_ptr<ongoing> begin(job& work, const call_options& options, std::shared_ptr<void> owner) override {
    check_process(made_by_);
    check_attempts(work, options);
    const std::shared_lock stays(renewal_);
    return std::make_unique<process_call_handle>(now(), work, options, std::move(owner), false);
  }

  // Also while restart() waits for submitted work: then that is what ends it.
  void terminate() override {
    const cancellation_deferred whole;
    check_process(made_by_);
    now()->terminate();
  }

  void restart(unsigned workers) override {
    const cancellation_deferred whole;
    check_process(made_by_);
    const unsigned wanted = workers != 0 ? checked_workers(workers) : size();
    const std::unique_lock alone(renewal_);
    // The template would know the program as it was at forkful::init.
    if (workers == 0 && options_.start == start_method::automatic) options_.start = start_method::fork;
    end(*now());
    workers_.store(wanted, std::memory_order_relaxed);
    std::shared_ptr<coordinator> fresh = make_coordinator();
    const std::lock_guard lock(mutex_);
    coordinator_ = std::move(fresh);
  }

 private:
  [[nodiscard]] std::shared_ptr<coordinator> make_coordinator() const {
    auto made = std::make_shared<coordinator>(size(), options_.start, settings_of(options_));
    made->fill();
    return made;
  }
  [[nodiscard]] std::shared_ptr<coordinator> now() const {
    const std::lock_guard lock(mutex_);
    return coordinator_;
  }

  pool_options options_;
  std::atomic<unsigned> workers_;  // relaxed: a number that guards nothing
  std::shared_mutex renewal_;
  mutable std::mutex mutex_;
  std::shared_ptr<coordinator> coordinator_;
  std::uint64_t made_by_;
};

}  // namespace

std::unique_ptr<engine> start_processes(const pool_options& options) {
  const cancellation_deferred whole;
  return std::make_unique<process_engine>(options);
}

}  // namespace forkful::detail
