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

#include "faults/killing.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using forkful::shared_vector;
using forkful::snapshot_pool;
using namespace forkful_tests;

struct belongings {
  std::vector<std::string> descriptors = names_in("/proc/self/fd");
  std::vector<pid_t> children = children_of(getpid());
  std::vector<std::string> shm = names_in("/dev/shm");
  std::vector<std::string> tmp = names_in("/tmp");
};

std::size_t resident_kilobytes() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  return 0;
}

// Names with forkful in them that were not there before: other programs come and go in these folders.
std::vector<std::string> ours(const std::vector<std::string>& now, const std::vector<std::string>& before) {
  std::vector<std::string> made;
  for (const std::string& name : now) {
    const bool mentions = name.find("forkful") != std::string::npos;
    if (mentions && std::find(before.begin(), before.end(), name) == before.end()) made.push_back(name);
  }
  return made;
}

struct tally {
  std::size_t pools = 0;
  std::size_t exceptions = 0;
  std::size_t crashes = 0;
};

void one_pool(std::size_t round, tally& count) {
  ++count.pools;
  try {
    process_pool pool{1 + static_cast<unsigned>(round % 3)};
    switch (round % 6) {
      case 0:
        return;  // dropped unused
      case 1: {
        const auto eaten = pool.map(indices(50), [](std::size_t i) { return std::string(100 * i, 'x'); });
        if (eaten.size() != 50) throw std::logic_error("results are missing");
        return;
      }
      case 2:
        pool.for_each(indices(50), [](std::size_t i) {
          if (i == 20) throw std::runtime_error("slice");
        });
        return;
      case 3:
        pool.for_each(indices(50), [](std::size_t i) {
          if (i == 20) raise(SIGKILL);
        });
        return;
      case 4: {
        shared_vector<double> table(30'000, 2.0);
        const auto tables = pool.map(indices(4), [](std::size_t i) { return shared_vector<double>(20'000 * i); });
        pool.for_each(table, [](double& x) { x *= 2; });
        throw std::runtime_error("in the caller, with the pool and shared memory alive");
      }
      default: {
        const std::string ending = "_eaten";
        snapshot_pool once{2};
        once.for_each(indices(50), [&](std::size_t i) {
          if (i == 20) raise(SIGSEGV);
          return ending.size() + i;
        });
      }
    }
  } catch (const std::runtime_error& error) {
    ++count.exceptions;
    if (dynamic_cast<const forkful::worker_crashed*>(&error) != nullptr) ++count.crashes;
  }
}

TEST(leaks, a_thousand_pools_leave_nothing_behind) {
  const std::size_t pools = from_environment("FORKFUL_POOLS", times(1000));
  const watchdog bites(static_cast<unsigned>(50 + pools / 50));
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
  EXPECT_TRUE(ours(after.shm, before.shm).empty());
  EXPECT_TRUE(ours(after.tmp, before.tmp).empty());
  if (!sanitized) {
    EXPECT_LT(resident_after, resident_before + 3 * pools + 2000) << "kilobytes, for " << pools << " pools";
  }
  std::cout << pools << " pools, " << count.exceptions << " exceptions, " << count.crashes
            << " of them crashes; resident " << resident_before << " kB before, " << resident_after << " kB after\n";
}

// Failures, retries and deaths give back the shared memory they had: an arena of 64 MiB, far less than goes through it, does.
TEST(leaks, thousands_of_failing_calls_do_not_fill_the_arena) {
  const watchdog bites(55);
  struct counts {
    std::size_t failures = 0;
    std::size_t deaths = 0;
    std::size_t resident_before = 0;
    std::size_t resident_after = 0;
  };
  const seen_by_all<counts> seen;
  const auto ended = in_child([&] {
    alarm(55);
    rlimit small{};
    getrlimit(RLIMIT_FSIZE, &small);
    small.rlim_cur = std::size_t{64} << 20;
    setrlimit(RLIMIT_FSIZE, &small);
    process_pool pool{2};
    const std::vector<std::string> cake(40, std::string(5000, 'c'));
    for (std::size_t round = 0; round != times(2000); ++round) {
      if (round == times(2000) / 2) seen->resident_before = resident_kilobytes();
      const auto outcomes = pool.with({.chunk = 10})
                                .try_map(
                                    forkful::zip(indices(40), cake),
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
