// Square roots of many doubles, where they lie: for threads and shared memory there is nothing to pass, for copies it is all.
#include <cmath>

#include "works/doubles.hpp"
#include "works/sizes.hpp"
#include "works/works.hpp"

namespace race {

namespace {

void eight_roots(std::span<double> block) {
  for (double& x : block)
    for (int i = 0; i < 8; ++i) x = std::sqrt(x + 1.0);
}

std::unique_ptr<work> make(const work_options& said) {
  const std::size_t slices = said.slices.value_or(64);
  const std::size_t each = bytes_or(said, slices, 256'000, sizeof(double)) / sizeof(double);
  std::vector<double> values(slices * each);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  return std::make_unique<doubles>(std::move(values), slices, eight_roots);
}

}  // namespace

entry numbers_work() { return {"numbers", "takes 8 square roots of every double, in place", "--slices --bytes", make}; }

}  // namespace race
