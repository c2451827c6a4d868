// The reference back end: the caller eats every slice itself, in order. No process, no shared memory, no copy.
#include <forkful/detail/job.hpp>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "errors/exceptions.hpp"
#include "worker/place.hpp"

namespace forkful::detail {

namespace {

struct eating : chunk_io {
  std::vector<slice_failure> failures;
};

void record_failure(chunk_io& io, std::size_t slice) {
  static_cast<eating&>(io).failures.push_back(capture_exception(slice, 0, 1));
}

class serial_engine : public engine {
 public:
  [[nodiscard]] unsigned size() const noexcept override { return 1; }

  void run(job& work, const call_options& options, report& happened) override {
    happened.way = "serial";
    if (options.attempts == 0) throw std::invalid_argument("forkful: call_options::attempts is 1 to 255");
    if (options.timeout.count() < 0) {
      throw std::invalid_argument("forkful: call_options::timeout is a length of time, or 0 for none");
    }
    if (work.slices == 0) return;
    happened.chunks = 1;
    const worker_scope here(0);
    eating io;
    io.fail = record_failure;
    const std::unique_ptr<void, void (*)(void*)> results(
        work.make_results != nullptr ? work.make_results(work.slices) : nullptr,
        work.drop_results != nullptr ? work.drop_results : [](void*) {});
    io.results = results.get();
    std::size_t at = 0;
    while (at < work.slices) {
      const std::size_t reached = work.run(work.plan, io, at, work.slices);
      at = reached < work.slices ? reached + 1 : reached;
      if (!io.failures.empty() && !work.keep_going) break;
    }
    if (work.collect != nullptr) work.collect(work.caller, {0, at, nullptr, io.results, &io.failures});
    if (!io.failures.empty() && !work.keep_going) rethrow(io.failures.front());
  }
};

}  // namespace

std::unique_ptr<engine> start_serial(const pool_options& /*a serial pool has no workers to set up*/) {
  return std::make_unique<serial_engine>();
}

}  // namespace forkful::detail
