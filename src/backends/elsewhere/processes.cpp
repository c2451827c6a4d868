// The back end whose workers stay from call to call: one coordinator, until it is started anew.
//
// Owns the coordinator.
#include <memory>

#include "backends/elsewhere/process_call_handle.hpp"
#include "backends/elsewhere/process_port.hpp"
#include "backends/engine.hpp"
#include "backends/renewable.hpp"
#include "measure/listener.hpp"
#include "os/cancellation.hpp"

namespace forkful::detail {

namespace {

class process_engine final : public lasting_engine {
 public:
  process_engine(const pool_options& options, const host* around)
      : lasting_engine(options, "process"),
        options_(options),
        around_(around),
        running_(make(checked_workers(options.workers)), checked_workers(options.workers)) {}
  ~process_engine() override {
    const cancellation_deferred whole;
    forget_report(number());
    running_.finish(end);
  }

  [[nodiscard]] unsigned size() const noexcept override { return running_.workers(); }

  std::unique_ptr<ongoing> begin(job& work, const call_options& options, std::shared_ptr<void> owner) override {
    const auto stays = running_.staying();
    check_attempts(work, options);
    return std::make_unique<process_call_handle>(running_.now(), work, options, std::move(owner), false);
  }

  std::unique_ptr<port> open_port() override { return std::make_unique<process_port>(running_.now()); }

  bool finish(std::uint64_t until) override {
    const cancellation_deferred whole;
    return running_.now()->leave(until);
  }

  bool started(std::uint64_t until) override {
    const cancellation_deferred whole;
    return running_.now()->started(until);
  }

  // Also while restart() waits for submitted work: then that is what ends it.
  void terminate() override {
    const cancellation_deferred whole;
    running_.now()->terminate();
  }

  void restart(unsigned workers) override {
    const cancellation_deferred whole;
    const unsigned wanted = workers != 0 ? checked_workers(workers) : size();
    running_.renew(wanted, end, [&] {
      // The template would know the program as it was at forkful::init.
      if (workers == 0 && options_.start == start_method::automatic) options_.start = start_method::fork;
      return make(wanted);
    });
  }

 private:
  [[nodiscard]] std::shared_ptr<coordinator> make(unsigned workers) const {
    auto made = std::make_shared<coordinator>(workers, options_.start, settings_of(options_, around_));
    made->fill();
    return made;
  }

  pool_options options_;
  const host* around_;
  renewable<coordinator> running_;
};

}  // namespace

std::unique_ptr<lasting_engine> start_processes(const pool_options& options, const host* around) {
  const cancellation_deferred whole;
  return std::make_unique<process_engine>(options, around);
}

}  // namespace forkful::detail
