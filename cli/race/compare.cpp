#include "race/compare.hpp"

#include <algorithm>

#include "format/fmt.hpp"

namespace race {

std::string difference(const results& expected, const results& got) {
  if (expected.size() != got.size()) return fmt::format("{} results instead of {}", got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (expected[i] == got[i]) continue;
    if (expected[i].size() != got[i].size())
      return fmt::format("slice {} has {} bytes instead of {}", i, got[i].size(), expected[i].size());
    const auto at = std::mismatch(got[i].begin(), got[i].end(), expected[i].begin()).first - got[i].begin();
    return fmt::format("slice {} differs from byte {} on", i, at);
  }
  return {};
}

}  // namespace race
