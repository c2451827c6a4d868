// The back ends whose workers are threads of this process: one crew, until it is started anew.
//
// Owns the crew. Its mutex guards the pointer; the other one keeps calls from beginning on a crew that is about to end.
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "backends/engine.hpp"
#include "backends/here/auto_call.hpp"
#include "backends/here/thread_call.hpp"
#include "backends/inherited.hpp"
#include "measure/listener.hpp"
#include "os/cancellation.hpp"
#include "os/identity.hpp"

namespace forkful::detail {

namespace {

class thread_engine : public engine {
 public:
  explicit thread_engine(const pool_options& options, const char* way = "thread")
      : engine(options, way),
        options_(options),
        crew_(std::make_shared<thread_crew>(checked_workers(options.workers), options)),
        workers_(crew_->workers()),
        made_by_(this_process()) {}
  ~thread_engine() override {
    const cancellation_deferred whole;
    forget_report(number());
    if (this_process() != made_by_) {
      never_destroy(std::move(crew_));
    } else {
      crew_->end(std::uncaught_exceptions() != 0);
      crew_.reset();
    }
  }

  [[nodiscard]] unsigned size() const noexcept override { return workers_.load(std::memory_order_relaxed); }

  std::unique_ptr<ongoing> begin(job& work, const call_options& options, std::shared_ptr<void> owner) override {
    check_process(made_by_);
    const std::shared_lock stays(renewal_);
    const std::shared_ptr<thread_crew> crew = now();
    {
      const thread_crew::lock_type lock(crew->mutex);
      if (crew->closed()) {
        throw pool_closed("this pool was terminated: call restart() to use it again, or make a new pool");
      }
    }
    return handle_of(make_call(crew, work, options, std::move(owner)));
  }

  void terminate() override {
    const cancellation_deferred whole;
    check_process(made_by_);
    now()->end(true);
  }

  void restart(unsigned workers) override {
    const cancellation_deferred whole;
    check_process(made_by_);
    const unsigned wanted = workers != 0 ? checked_workers(workers) : size();
    const std::unique_lock alone(renewal_);
    now()->end(false);
    auto fresh = std::make_shared<thread_crew>(wanted, options_);
    const std::lock_guard lock(mutex_);
    crew_ = std::move(fresh);
    workers_.store(wanted, std::memory_order_relaxed);
  }

 protected:
  [[nodiscard]] std::uint64_t made_by() const noexcept { return made_by_; }
  virtual std::shared_ptr<thread_call> make_call(const std::shared_ptr<thread_crew>& crew, job& work,
                                                 const call_options& options, std::shared_ptr<void> owner) {
    return std::make_shared<thread_call>(crew, work, options, std::move(owner));
  }

 private:
  [[nodiscard]] std::shared_ptr<thread_crew> now() const {
    const std::lock_guard lock(mutex_);
    return crew_;
  }

  pool_options options_;
  std::shared_mutex renewal_;
  mutable std::mutex mutex_;
  std::shared_ptr<thread_crew> crew_;
  std::atomic<unsigned> workers_;  // relaxed: a number that guards nothing
  std::uint64_t made_by_;
};

// Calls begin alone.
class auto_engine final : public thread_engine {
 public:
  explicit auto_engine(const pool_options& options)
      : thread_engine(options, "auto"), history_(std::make_shared<call_history>(cpus_to_use())) {}
  ~auto_engine() override {
    const cancellation_deferred whole;
    // Its thread is not here.
    if (this_process() != made_by()) never_destroy(std::move(history_));
  }

 protected:
  std::shared_ptr<thread_call> make_call(const std::shared_ptr<thread_crew>& crew, job& work,
                                         const call_options& options, std::shared_ptr<void> owner) override {
    return std::make_shared<auto_call>(crew, work, options, owner, history_);
  }

 private:
  std::shared_ptr<call_history> history_;
};

}  // namespace

std::unique_ptr<engine> start_auto(const pool_options& options) {
  const cancellation_deferred whole;
  return std::make_unique<auto_engine>(options);
}
std::unique_ptr<engine> start_threads(const pool_options& options) {
  const cancellation_deferred whole;
  return std::make_unique<thread_engine>(options);
}

}  // namespace forkful::detail
