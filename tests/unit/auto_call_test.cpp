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

TEST(learned_wake, less_counts_at_once_and_one_bad_moment_little) {
  EXPECT_EQ(learned_wake(100'000, 20'000), 60'000U);
  EXPECT_EQ(learned_wake(100'000, 100'000), 100'000U);
  EXPECT_EQ(learned_wake(100'000, 50'000'000), 137'500U);
}

// A busy moment has shown all that it can. Calls of 1 ms on two cores are shared again when it is below 385 us.
TEST(doubted_wake, is_tried_again_after_some_calls) {
  std::uint64_t wake = 100'000;
  for (int i = 0; i != 1'000; ++i) wake = learned_wake(wake, 50'000'000);
  EXPECT_EQ(wake, 1'000'000U);
  int calls = 0;
  for (; wake > 385'000 && calls != 1'000; ++calls) wake = doubted_wake(wake);
  EXPECT_GT(calls, 20) << "not with every other call";
  EXPECT_LT(calls, 100);
}

}  // namespace
}  // namespace forkful::detail
