// The mark that distinguishes processes.
#include "os/identity.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "support/in_child.hpp"

namespace {

using forkful::detail::this_process;
using forkful_tests::in_child;
using forkful_tests::seen_by_all;

TEST(identity, is_not_zero_and_stays_the_same) {
  const std::uint64_t mark = this_process();
  EXPECT_NE(mark, 0U);
  EXPECT_EQ(this_process(), mark);
}

TEST(identity, is_the_same_in_all_threads_of_a_process) {
  std::vector<std::uint64_t> seen(8);
  std::vector<std::thread> threads;
  for (std::uint64_t& mine : seen) threads.emplace_back([&mine] { mine = this_process(); });
  for (std::thread& each : threads) each.join();
  for (const std::uint64_t each : seen) EXPECT_EQ(each, this_process());
}

TEST(identity, threads_of_a_fresh_child_agree_on_their_first_call) {
  const std::uint64_t parents = this_process();
  for (int round = 0; round != 20; ++round) {
    EXPECT_TRUE(in_child([&] {
                  std::array<std::uint64_t, 4> seen{};
                  std::vector<std::thread> threads;
                  for (std::uint64_t& mine : seen) threads.emplace_back([&mine] { mine = this_process(); });
                  for (std::thread& each : threads) each.join();
                  for (const std::uint64_t each : seen)
                    if (each != this_process() || each == parents) return 1;
                  return 7;
                }).exited_with(7));
  }
}

TEST(identity, differs_in_every_child_and_grandchild) {
  constexpr std::size_t children = 100;
  seen_by_all<std::array<std::uint64_t, 2 * children>> marks;
  for (std::size_t i = 0; i != children; ++i) {
    ASSERT_TRUE(in_child([&] {
                  (*marks)[2 * i] = this_process();
                  return in_child([&] {
                           (*marks)[2 * i + 1] = this_process();
                           return 0;
                         }).exited_with(0)
                             ? 7
                             : 1;
                }).exited_with(7));
  }
  std::set<std::uint64_t> different(marks->begin(), marks->end());
  different.insert(this_process());
  EXPECT_EQ(different.size(), 2 * children + 1);
  EXPECT_FALSE(different.contains(0));
}

}  // namespace
