// One slice crashes. In the loop and among threads that would end the program; a way of processes loses that slice and no other.
#include <csignal>

#include "works/sizes.hpp"
#include "works/spin.hpp"
#include "works/works.hpp"

namespace race {

namespace {

std::uint64_t compute_or_crash(std::size_t slice, std::uint64_t turns, std::size_t bad) {
  if (slice == bad) std::raise(SIGSEGV);
  return spin(slice, turns);
}

std::string bytes_of(std::uint64_t sum) { return {reinterpret_cast<const char*>(&sum), sizeof sum}; }

const std::string crashed = "crashed";

class crash final : public work {
 public:
  crash(std::size_t slices, std::uint64_t turns, std::chrono::nanoseconds time)
      : slices_(slices), turns_(turns), time_(time) {}
  [[nodiscard]] std::string slices() const override {
    return fmt::format("{} of {} each; slice {} crashes", counted_slices(slices_), cli::time_text(time_), bad());
  }
  [[nodiscard]] std::string why_not(way which) const override {
    if (crew::in_own_memory(which)) return "would end the program";
    return which == way::shared ? std::string(in_place_of_nothing) : "";
  }
  [[nodiscard]] finish run(crew& here, way which) const override {
    std::vector<forkful::outcome<std::uint64_t>> outcomes;
    finish done = here.timed_apart(which, [&](auto& pool) {
      outcomes = pool.try_map(forkful::indices(slices_), compute_or_crash, turns_, bad());
    });
    for (const auto& each : outcomes) {
      const bool as_it_should =
          !each && each.failure().kind == forkful::failure_kind::crash && each.failure().slice == bad();
      done.output.push_back(each ? bytes_of(*each) : as_it_should ? crashed : each.failure().what);
    }
    return done;
  }
  [[nodiscard]] results expected(crew& /*here*/) const override {
    results output;
    for (std::size_t i = 0; i < slices_; ++i) output.push_back(i == bad() ? crashed : bytes_of(spin(i, turns_)));
    return output;
  }
  [[nodiscard]] std::string remark(const results& /*run*/) const override {
    return fmt::format("slice {} crashed in every call: it was named, and {} came back", bad(),
                       slices_ == 2 ? "the other one" : fmt::format("all {} others", slices_ - 1));
  }

 private:
  [[nodiscard]] std::size_t bad() const { return slices_ / 2; }

  std::size_t slices_;
  std::uint64_t turns_;
  std::chrono::nanoseconds time_;
};

std::unique_ptr<work> make(const work_options& said) {
  const std::size_t slices = said.slices.value_or(16);
  if (slices < 2)
    throw std::invalid_argument("the work 'crash' wants at least 2 slices: one that crashes, and one that survives it");
  const auto time = said.time.value_or(std::chrono::milliseconds(1));
  return std::make_unique<crash>(slices, turns_in(time), time);
}

}  // namespace

entry crash_work() { return {"crash", "one slice crashes: only processes survive that", "--slices --time", make}; }

}  // namespace race
