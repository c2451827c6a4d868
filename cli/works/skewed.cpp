// Slices of very different lengths: whether workers end at the same time is a matter of how slices are cut into chunks.
#include <array>
#include <cmath>
#include <forkful/advise.hpp>
#include <numeric>

#include "works/as_bytes.hpp"
#include "works/sizes.hpp"
#include "works/skewed.hpp"
#include "works/spin.hpp"
#include "works/works.hpp"

namespace race {

namespace {

struct shape {
  std::string_view name;
  /// How long slice i of n is, in any unit: lengths are scaled to their mean afterwards.
  double (*length)(std::size_t i, std::size_t n);
};

/// Between 0 and 1, the same for the same slice.
double chance(std::size_t i) {
  std::uint64_t state = i;
  return static_cast<double>(next_random(state) >> 11) * 0x1p-53;
}

constexpr std::array all_shapes{
    shape{"equal", [](std::size_t /*i*/, std::size_t /*n*/) { return 1.0; }},
    shape{"linear", [](std::size_t i, std::size_t /*n*/) { return static_cast<double>(i + 1); }},
    shape{"exponential", [](std::size_t i, std::size_t /*n*/) { return -std::log(1.0 - chance(i)); }},
    shape{"bimodal", [](std::size_t i, std::size_t /*n*/) { return chance(i) < 0.1 ? 10.0 : 1.0; }},
    // The first is as long as a quarter of all the others together.
    shape{"giant",
          [](std::size_t i, std::size_t n) { return i == 0 ? std::max(1.0, 0.25 * static_cast<double>(n)) : 1.0; }},
};

std::uint64_t spin_itself(std::uint64_t turns) { return spin(turns, turns); }

class skewed final : public work {
 public:
  skewed(std::string_view shape, std::vector<std::uint64_t> turns, std::chrono::nanoseconds time)
      : shape_(shape), turns_(std::move(turns)), time_(time) {}
  [[nodiscard]] std::string slices() const override {
    return fmt::format("{} of {} on average, {}", counted_slices(turns_.size()), cli::time_text(time_), shape_);
  }
  [[nodiscard]] std::string why_not(way which) const override {
    return which == way::shared ? std::string(in_place_of_nothing) : "";
  }
  [[nodiscard]] finish run(crew& here, way which) const override {
    std::vector<std::uint64_t> output;
    finish done = here.timed(
        which, [&](auto& pool) { output = pool.map(turns_, [](std::uint64_t turns) { return spin(turns, turns); }); });
    done.output = as_bytes(output);
    return done;
  }

  [[nodiscard]] std::optional<forkful::advice> advised(bool /*in_shared_memory*/) const override {
    return forkful::advise(turns_, spin_itself);
  }

 private:
  std::string_view shape_;
  std::vector<std::uint64_t> turns_;
  std::chrono::nanoseconds time_;
};

std::unique_ptr<work> make(const work_options& said) {
  const std::size_t slices = said.slices.value_or(64);
  const auto time = said.time.value_or(std::chrono::microseconds(500));
  const auto chosen = std::find_if(all_shapes.begin(), all_shapes.end(), [&](const shape& each) {
    return each.name == (said.skew.empty() ? "exponential" : said.skew);
  });
  std::vector<double> lengths(slices);
  for (std::size_t i = 0; i < slices; ++i) lengths[i] = chosen->length(i, slices);
  const double sum = std::accumulate(lengths.begin(), lengths.end(), 0.0);
  const double turns = static_cast<double>(turns_in(time)) * static_cast<double>(slices) / sum;
  std::vector<std::uint64_t> scaled(slices);
  for (std::size_t i = 0; i < slices; ++i) scaled[i] = static_cast<std::uint64_t>(lengths[i] * turns);
  return std::make_unique<skewed>(chosen->name, std::move(scaled), time);
}

}  // namespace

std::vector<std::string> shapes() {
  std::vector<std::string> names;
  names.reserve(all_shapes.size());
  for (const shape& each : all_shapes) names.emplace_back(each.name);
  return names;
}

entry skewed_work() {
  return {"skewed", "computes slices of very different lengths (--skew)", "--slices --time --skew", make};
}

}  // namespace race
