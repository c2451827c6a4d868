// The back ends whose workers are threads of this process: one crew, until it is started anew.
//
// Owns the crew.
#include <exception>
#include <memory>

#include "backends/engine.hpp"
#include "backends/here/auto_call.hpp"
#include "backends/here/thread_call.hpp"
#include "backends/inherited.hpp"
#include "backends/renewable.hpp"
#include "measure/listener.hpp"
#include "os/cancellation.hpp"

namespace forkful::detail {

namespace {

class thread_engine : public engine {
 public:
  explicit thread_engine(const pool_options& options, const char* way = "thread")
      : engine(options, way),
        options_(options),
        running_(std::make_shared<thread_crew>(checked_workers(options.workers), options),
                 checked_workers(options.workers)) {}
  ~thread_engine() override {
    const cancellation_deferred whole;
    forget_report(number());
    running_.finish([](thread_crew& crew) { crew.end(std::uncaught_exceptions() != 0); });
  }

  [[nodiscard]] unsigned size() const noexcept override { return running_.workers(); }

  std::unique_ptr<ongoing> begin(job& work, const call_options& options, std::shared_ptr<void> owner) override {
    const auto stays = running_.staying();
    const std::shared_ptr<thread_crew> crew = running_.now();
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
    running_.now()->end(true);
  }

  void restart(unsigned workers) override {
    const cancellation_deferred whole;
    const unsigned wanted = workers != 0 ? checked_workers(workers) : size();
    running_.renew(
        wanted, [](thread_crew& crew) { crew.end(false); },
        [&] { return std::make_shared<thread_crew>(wanted, options_); });
  }

 protected:
  [[nodiscard]] bool inherited() const noexcept { return running_.inherited(); }
  virtual std::shared_ptr<thread_call> make_call(const std::shared_ptr<thread_crew>& crew, job& work,
                                                 const call_options& options, std::shared_ptr<void> owner) {
    return std::make_shared<thread_call>(crew, work, options, std::move(owner));
  }

 private:
  pool_options options_;
  renewable<thread_crew> running_;
};

// Calls begin alone.
class auto_engine final : public thread_engine {
 public:
  explicit auto_engine(const pool_options& options)
      : thread_engine(options, "auto"), history_(std::make_shared<call_history>(cpus_to_use())) {}
  ~auto_engine() override {
    const cancellation_deferred whole;
    // Its thread is not here.
    if (inherited()) never_destroy(std::move(history_));
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
