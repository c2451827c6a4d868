// Pi from random points in a square. Every slice has its own seed, so that the same points fall whichever worker draws
// them, in any order.
#include <forkful/advise.hpp>
#include <numeric>

#include "works/as_bytes.hpp"
#include "works/sizes.hpp"
#include "works/spin.hpp"
#include "works/works.hpp"

namespace race {

namespace {

/// How many of `points` fall into the quarter of a circle.
std::uint64_t inside(std::size_t slice, std::uint64_t points) {
  std::uint64_t state = slice * 0xd1342543de82ef95;
  const auto uniform = [&] { return static_cast<double>(next_random(state) >> 11) * 0x1p-53; };
  std::uint64_t hits = 0;
  for (std::uint64_t i = 0; i < points; ++i) {
    const double x = uniform();
    const double y = uniform();
    hits += x * x + y * y < 1.0 ? 1 : 0;
  }
  return hits;
}

class montecarlo final : public work {
 public:
  montecarlo(std::size_t slices, std::uint64_t points) : slices_(slices), points_(points) {}
  [[nodiscard]] std::string slices() const override {
    return fmt::format("{} of {} points each", counted_slices(slices_), points_);
  }
  [[nodiscard]] std::string why_not(way which) const override {
    return which == way::shared ? std::string(in_place_of_nothing) : "";
  }
  [[nodiscard]] finish run(crew& here, way which) const override {
    std::vector<std::uint64_t> hits;
    finish done = here.timed(which, [&](auto& pool) { hits = pool.map(forkful::indices(slices_), inside, points_); });
    done.output = as_bytes(hits);
    return done;
  }
  [[nodiscard]] std::string remark(const results& output) const override {
    std::uint64_t hits = 0;
    for (const std::string& each : output) {
      std::uint64_t of_slice = 0;
      each.copy(reinterpret_cast<char*>(&of_slice), sizeof of_slice);
      hits += of_slice;
    }
    const double points = static_cast<double>(slices_) * static_cast<double>(points_);
    return fmt::format("pi is about {:.6f}", 4.0 * static_cast<double>(hits) / points);
  }

  [[nodiscard]] std::optional<forkful::advice> advised(bool /*in_shared_memory*/) const override {
    return forkful::advise(forkful::indices(slices_), inside, points_);
  }

 private:
  std::size_t slices_;
  std::uint64_t points_;
};

std::unique_ptr<work> make(const work_options& said) {
  const std::size_t slices = said.slices.value_or(64);
  const auto points =
      turns_of([](std::uint64_t tried) { return inside(1, tried); }, said.time.value_or(std::chrono::milliseconds(1)));
  return std::make_unique<montecarlo>(slices, std::max<std::uint64_t>(points, 1));
}

}  // namespace

entry montecarlo_work() {
  return {"montecarlo", "estimates pi from random points: much to compute, little to pass", "--slices --time", make};
}

}  // namespace race
