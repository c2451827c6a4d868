// What auto_pool's calls record for one another.
#include "backends/here/auto_call.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace forkful::detail {
namespace {

TEST(must_remeasure, less_and_less_often_and_never_not_at_all) {
  std::vector<unsigned> begun_alone;
  for (unsigned in_a_row = 1; in_a_row <= 256; ++in_a_row) {
    if (must_remeasure(in_a_row)) begun_alone.push_back(in_a_row);
  }
  EXPECT_EQ(begun_alone, (std::vector<unsigned>{1, 2, 4, 8, 16, 32, 64, 128, 192, 256}));
}

}  // namespace
}  // namespace forkful::detail
