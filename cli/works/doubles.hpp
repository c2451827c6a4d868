// Doubles that are changed where they lie: blocks of equal length, and one function for all of them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "race/work.hpp"

namespace race {

/// Changes one block in place.
using block_function = void (*)(std::span<double>);

/// The loop and threads change an ordinary vector in place, snapshot and process get their blocks copied there and back (update),
/// and "shared" changes a shared_vector in place.
class doubles : public work {
 public:
  /// `values` is `slices` blocks of the same length.
  doubles(std::vector<double> values, std::size_t slices, block_function change);
  [[nodiscard]] std::string slices() const override;
  [[nodiscard]] std::string why_not(way /*any*/) const override { return {}; }
  [[nodiscard]] finish run(crew& here, way which) const override;
  [[nodiscard]] std::optional<forkful::advice> advised(bool in_shared_memory) const override;

 private:
  std::vector<double> values_;
  std::size_t slices_;
  block_function change_;
};

}  // namespace race
