// What a program has left after a thousand pools: nothing. docs/protocol.md, 2, 12, 13.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <forkful/forkful.hpp>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "faults/belongings.hpp"
#include "faults/killing.hpp"

namespace {

using namespace forkful_tests;

TEST(leaks, a_thousand_pools_leave_nothing_behind) {
  const std::size_t pools = from_environment("FORKFUL_POOLS", times(1000));
  const watchdog bites(static_cast<unsigned>(hang_seconds + pools / 50));
  tally warm_up;
  for (std::size_t round = 0; round != 60; ++round) one_pool(round, warm_up);

  const belongings before;
  const std::size_t resident_before = resident_kilobytes();
  tally count;
  for (std::size_t round = 0; round != pools; ++round) one_pool(round, count);
  const belongings after;
  const std::size_t resident_after = resident_kilobytes();

  EXPECT_EQ(count.pools, pools);
  EXPECT_GE(count.exceptions, pools / 6 * 4);
  EXPECT_GE(count.crashes, pools / 6 * 2);
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_TRUE(before.children.empty());
  EXPECT_TRUE(after.children.empty()) << "workers or zombies are left";
  EXPECT_FALSE(left_by(pools, after.shm, before.shm));
  EXPECT_FALSE(left_by(pools, after.tmp, before.tmp));
  if (!sanitized) {
    EXPECT_LT(resident_after, resident_before + 3 * pools + 2000) << "kilobytes, for " << pools << " pools";
  }
  std::cout << pools << " pools, " << count.exceptions << " exceptions, " << count.crashes
            << " of them crashes; resident " << resident_before << " kB before, " << resident_after << " kB after\n";
}

// Failures, retries and deaths give back the shared memory they had: an arena of 64 MiB, far less than they use in all, is enough.
TEST(leaks, thousands_of_failing_calls_do_not_fill_the_arena) {
  const watchdog bites;
  struct counts {
    std::size_t failures = 0;
    std::size_t deaths = 0;
    std::size_t resident_before = 0;
    std::size_t resident_after = 0;
  };
  const seen_by_all<counts> seen;
  const auto ended = in_child([&] {
    alarm(hang_seconds);
    rlimit small{};
    getrlimit(RLIMIT_FSIZE, &small);
    small.rlim_cur = std::size_t{64} << 20;
    setrlimit(RLIMIT_FSIZE, &small);
    process_pool pool{2};
    const std::vector<std::string> input(40, std::string(5000, 'c'));
    for (std::size_t round = 0; round != times(2000); ++round) {
      if (round == times(2000) / 2) seen->resident_before = resident_kilobytes();
      const auto outcomes = pool.with({.chunk = 10})
                                .try_map(
                                    forkful::zip(indices(40), input),
                                    [](std::size_t i, const std::string& slice, const std::size_t& turn) {
                                      if ((i + turn) % 5 == 0) throw std::runtime_error(std::string(30'000, 'x'));
                                      if (turn % 2 == 0 && i == 19) raise(SIGKILL);
                                      return slice + slice;
                                    },
                                    round);
      for (const auto& one : outcomes) seen->failures += one.has_value() ? 0 : 1;
      seen->deaths += pool.report().deaths;
    }
    seen->resident_after = resident_kilobytes();
    return 0;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
  EXPECT_GE(seen->failures, times(2000) * 8U);
  EXPECT_GE(seen->deaths, times(2000) / 2 - times(2000) / 5);
  if (!sanitized) {
    EXPECT_LT(seen->resident_after, seen->resident_before + 16'000);
  }
  std::cout << seen->failures << " failed slices, " << seen->deaths << " deaths; resident " << seen->resident_before
            << " kB half-way, " << seen->resident_after << " kB after\n";
}

TEST(leaks, the_parent_gets_no_thread_and_no_signal_handler) {
  struct sigaction before{};
  sigaction(SIGCHLD, nullptr, &before);
  process_pool pool{2};
  for (int round = 0; round != 10; ++round) {
    ASSERT_EQ(pool.map(indices(100), [](std::size_t i) { return i; }).size(), 100U);
    EXPECT_EQ(names_in("/proc/self/task").size(), 1U);
  }
  struct sigaction after{};
  sigaction(SIGCHLD, nullptr, &after);
  EXPECT_EQ(after.sa_handler, SIG_DFL);
  EXPECT_EQ(after.sa_handler, before.sa_handler);
  for (int signal = 1; signal < 32; ++signal) {
    struct sigaction action{};
    sigaction(signal, nullptr, &action);
    if (signal != SIGKILL && signal != SIGSTOP) {
      EXPECT_TRUE(action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) << signal;
    }
  }
}

}  // namespace
