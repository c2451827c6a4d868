// Every slice only waits: what parallel costs when there is nothing to compute and nothing to pass.
#include <forkful/advise.hpp>
#include <thread>

#include "works/as_bytes.hpp"
#include "works/sizes.hpp"
#include "works/works.hpp"

namespace race {

namespace {

std::size_t doze(std::size_t slice, std::chrono::nanoseconds time) {
  std::this_thread::sleep_for(time);
  return slice;
}

class sleep final : public work {
 public:
  sleep(std::size_t slices, std::chrono::nanoseconds time) : slices_(slices), time_(time) {}
  [[nodiscard]] std::string slices() const override {
    return fmt::format("{} that sleep {} each", counted_slices(slices_), cli::time_text(time_));
  }
  [[nodiscard]] std::string why_not(way which) const override {
    return which == way::shared ? std::string(in_place_of_nothing) : "";
  }
  [[nodiscard]] finish run(crew& here, way which) const override {
    std::vector<std::size_t> output;
    finish done = here.timed(which, [&](auto& pool) { output = pool.map(forkful::indices(slices_), doze, time_); });
    done.output = as_bytes(output);
    return done;
  }

  [[nodiscard]] std::optional<forkful::advice> advised(bool /*in_shared_memory*/) const override {
    return forkful::advise(forkful::indices(slices_), doze, time_);
  }

 private:
  std::size_t slices_;
  std::chrono::nanoseconds time_;
};

std::unique_ptr<work> make(const work_options& said) {
  return std::make_unique<sleep>(said.slices.value_or(16), said.time.value_or(std::chrono::milliseconds(2)));
}

}  // namespace

entry sleep_work() { return {"sleep", "waits: nothing to compute, nothing to pass", "--slices --time", make}; }

}  // namespace race
