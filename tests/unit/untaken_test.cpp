// Blocks that workers gave and nobody took: when they are freed, and how they may be taken after all.
#include "memory/untaken.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace {

using forkful::detail::untaken_blocks;

struct untaken : testing::Test {
  std::set<void*> buried(unsigned slot) {
    std::set<void*> freed;
    blocks.bury(slot, [&](void* block) { freed.insert(block); });
    return freed;
  }

  untaken_blocks blocks;
  std::array<int, 3> memory{};
  void* const first = memory.data();
  void* const second = memory.data() + 1;
  void* const third = memory.data() + 2;
};

TEST_F(untaken, blocks_are_freed_once_and_with_the_worker_that_left_them) {
  EXPECT_TRUE(blocks.leave(first, 1, true));
  EXPECT_TRUE(blocks.leave(second, 2, true));
  EXPECT_TRUE(blocks.leave(third, 1, true));
  EXPECT_EQ(buried(3), std::set<void*>{});
  EXPECT_EQ(buried(1), (std::set<void*>{first, third}));
  EXPECT_EQ(buried(1), std::set<void*>{});
  EXPECT_EQ(buried(2), std::set<void*>{second});
}

TEST_F(untaken, blocks_of_a_worker_that_has_ended_are_not_kept) {
  EXPECT_FALSE(blocks.leave(first, 1, false));
  EXPECT_EQ(buried(1), std::set<void*>{});
}

TEST_F(untaken, blocks_that_are_taken_after_all_are_freed_no_more) {
  blocks.leave(first, 1, true);
  EXPECT_FALSE(blocks.take(second));
  EXPECT_TRUE(blocks.take(first));
  EXPECT_FALSE(blocks.take(first));
  EXPECT_EQ(buried(1), std::set<void*>{});
}

TEST_F(untaken, blocks_that_are_looked_at_outlive_their_worker) {
  blocks.look_at(first);
  blocks.look_at(second);
  blocks.look_at(third);
  EXPECT_FALSE(blocks.take(first)) << "it still belongs to the results that it came with";
  blocks.leave(first, 1, true);
  blocks.leave(third, 1, true);
  EXPECT_FALSE(blocks.look_away(third)) << "its worker looks at it";
  EXPECT_EQ(buried(1), std::set<void*>{third});
  EXPECT_TRUE(blocks.leave(second, 1, false)) << "not freed with the results";
  EXPECT_EQ(buried(1), std::set<void*>{});
  EXPECT_TRUE(blocks.look_away(first));
  EXPECT_FALSE(blocks.look_away(first));
  EXPECT_TRUE(blocks.take(second));
  EXPECT_FALSE(blocks.look_away(second)) << "it was taken";
}

TEST_F(untaken, blocks_that_are_looked_at_no_more_leave_nothing_behind) {
  blocks.look_at(first);
  EXPECT_FALSE(blocks.look_away(first));
  EXPECT_FALSE(blocks.leave(first, 1, false));
}

}  // namespace
