// Workers that make pools of their own: how large those are, what comes back, and what is left when a process dies.
// docs/protocol.md, 12, 13, 18.
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <forkful/forkful.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "faults/killed_parents.hpp"
#include "os/cpu.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using forkful::snapshot_pool;
using namespace forkful_tests;

template <class Pool>
class nested_in : public testing::Test {
 protected:
  watchdog bites_;
};
using outer_pools = testing::Types<process_pool, snapshot_pool>;
TYPED_TEST_SUITE(nested_in, outer_pools);

unsigned share_of(unsigned workers) { return std::max(1U, forkful::detail::usable_cpus() / workers); }

TYPED_TEST(nested_in, pools_share_the_cpus_of_the_outer_pool) {
  EXPECT_EQ(TypeParam{}.size(), forkful::detail::usable_cpus());
  for (const unsigned workers : {1U, 2U, 5U}) {
    TypeParam outer{workers};
    for (const auto& sizes : outer.with({.chunk = 1}).map(indices(6), [](std::size_t) {
           process_pool inner;
           const auto deeper = inner.map(indices(1), [](std::size_t) { return process_pool{}.size(); });
           return std::vector<unsigned>{inner.size(), deeper[0], snapshot_pool{}.size(), process_pool{3}.size()};
         })) {
      const unsigned inner = share_of(outer.size());
      EXPECT_EQ(sizes, (std::vector<unsigned>{inner, share_of(outer.size() * inner), inner, 3}));
    }
  }
  EXPECT_EQ(TypeParam{}.size(), forkful::detail::usable_cpus());  // out here nothing has changed
}

TYPED_TEST(nested_in, pools_two_deep_give_what_loops_give) {
  TypeParam outer{2};
  const auto cubes = outer.with({.chunk = 1}).map(indices(6), [](std::size_t i) {
    process_pool middle{2};
    return middle.map(
        indices(4),
        [](std::size_t j, std::size_t row) {
          snapshot_pool inner{2};
          const std::string mark = std::to_string(row) + std::to_string(j);
          return inner.map(indices(3), [&](std::size_t k) { return mark + std::to_string(k); });
        },
        i);
  });
  ASSERT_EQ(cubes.size(), 6U);
  for (std::size_t i = 0; i != 6; ++i) {
    ASSERT_EQ(cubes[i].size(), 4U);
    for (std::size_t j = 0; j != 4; ++j) {
      const std::string mark = std::to_string(i) + std::to_string(j);
      EXPECT_EQ(cubes[i][j], (std::vector<std::string>{mark + "0", mark + "1", mark + "2"}));
    }
  }
  EXPECT_EQ(outer.report().deaths, 0U);
}

TYPED_TEST(nested_in, a_crash_in_there_costs_a_slice_in_there) {
  TypeParam outer{2};
  forkful::shared_vector<int> table(40, 1);  // the outer arena can be used in inner workers too
  const std::span<int> cells = table;
  const auto told = outer.with({.chunk = 1})
                        .map(
                            indices(10),
                            [](std::size_t i, std::span<int> cell) {
                              process_pool inner{2};
                              const auto outcomes = inner.with({.chunk = 1})
                                                        .try_map(
                                                            indices(4),
                                                            [](std::size_t j, std::size_t row, std::span<int> where) {
                                                              if (j == 2) raise(SIGSEGV);
                                                              where[4 * row + j] += static_cast<int>(10 * row + j);
                                                              return 10 * row + j;
                                                            },
                                                            i, cell);
                              std::vector<int> seen{static_cast<int>(inner.report().deaths)};
                              for (const auto& one : outcomes)
                                seen.push_back(one ? static_cast<int>(*one) : -static_cast<int>(one.failure().slice));
                              return seen;
                            },
                            cells);
  EXPECT_EQ(outer.report().deaths, 0U);
  ASSERT_EQ(told.size(), 10U);
  for (int i = 0; i != 10; ++i) {
    EXPECT_EQ(told[static_cast<std::size_t>(i)], (std::vector<int>{1, 10 * i, 10 * i + 1, -2, 10 * i + 3}));
    for (int j = 0; j != 4; ++j) EXPECT_EQ(table[static_cast<std::size_t>(4 * i + j)], j == 2 ? 1 : 1 + 10 * i + j);
  }
}

TYPED_TEST(nested_in, pools_leave_nothing_behind_in_their_worker) {
  TypeParam outer{1};
  const auto left = outer.map(indices(1), [](std::size_t) {
    std::vector<std::size_t> counts;
    for (unsigned round = 0; round != times(30); ++round) {
      std::ignore = process_pool{2}.map(indices(10), [](std::size_t i) { return i; });
      std::ignore = process_pool{2}.try_map(indices(10), [](std::size_t i) { return i == 4 ? raise(SIGKILL) : 0; });
      if (round == 0 || round + 1 == times(30)) {
        counts.push_back(open_descriptors());
        counts.push_back(children_of(getpid()).size());
      }
    }
    return counts;
  })[0];
  ASSERT_EQ(left.size(), 4U);
  EXPECT_EQ(left[2], left[0]);
  EXPECT_EQ(left[1], 0U);
  EXPECT_EQ(left[3], 0U);
}

// The outer worker is killed in the middle of an inner call, by one of its own workers: those go with it, and the outer pool
// goes on.
TYPED_TEST(nested_in, workers_of_a_killed_worker_go_with_it) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);  // so that no other process reaps orphans, and no pid is used again
  const seen_by_all<ledger> shared;
  seen = &*shared;
  const auto before = open_descriptors();
  std::size_t kills = 0;
  {
    TypeParam outer{2};
    for (unsigned round = 0; round != times(10); ++round) {
      const auto outcomes = outer.with({.chunk = 1}).try_map(indices(4), [](std::size_t i) {
        process_pool inner{2};
        inner.with({.chunk = 1})
            .for_each(
                indices(8),
                [](std::size_t j, std::size_t row) {
                  seen->enter(getpid());
                  if (row == 1 && j == 5) kill(getppid(), SIGKILL);
                },
                i);
        return i;
      });
      ASSERT_EQ(outcomes.size(), 4U);
      for (std::size_t i = 0; i != 4; ++i) {
        if (i == 1) continue;
        ASSERT_TRUE(outcomes[i].has_value());
        EXPECT_EQ(*outcomes[i], i);
      }
      kills += outcomes[1].has_value() ? 0 : 1;
    }
  }
  EXPECT_EQ(kills, times(10));
  EXPECT_GE(shared->entries.load(), 2 * times(10));
  EXPECT_TRUE(becomes_true([] {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    return children_of(getpid()).empty();
  })) << "a worker outlives the worker that made it";
  for (const pid_t each : shared->all()) EXPECT_EQ(state_of(each), '\0');
  EXPECT_EQ(open_descriptors(), before);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

}  // namespace
