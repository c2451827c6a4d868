// What runs at a worker's beginning and end, and workers that are replaced after so many slices: docs/protocol.md, 15, 16.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <forkful/forkful.hpp>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "faults/killing.hpp"

namespace {

using forkful::indices;
using forkful::pool_options;
using forkful::process_pool;
using forkful::shared_vector;
using forkful::snapshot_pool;
using forkful::start_failed;
using namespace forkful_tests;
using testing::AllOf;
using testing::HasSubstr;

struct notes {
  std::atomic<unsigned> starts{0};
  std::atomic<unsigned> exits{0};
  std::atomic<unsigned> in_workers{0};
  std::atomic<bool> fails{true};
};

const notes* nobodys = nullptr;
notes* noted = nullptr;
unsigned oven = 0;

class hooks : public testing::Test {
 protected:
  hooks() { noted = &*notes_; }
  const watchdog bites_;
  seen_by_all<notes> notes_;
};

void heat() {
  noted->starts.fetch_add(1);
  if (forkful::in_worker() && forkful::worker_index() < 2) noted->in_workers.fetch_add(1);
  oven = 200;
}

void clean() { noted->exits.fetch_add(1); }

unsigned bake(std::size_t i) { return oven + static_cast<unsigned>(i); }

TEST_F(hooks, run_once_in_each_worker_of_a_process_pool) {
  {
    process_pool pool(pool_options{.workers = 2, .on_worker_start = heat, .on_worker_exit = clean});
    for (int call = 0; call != 3; ++call) {
      EXPECT_EQ(pool.with({.chunk = 1}).map(indices(3), bake), (std::vector<unsigned>{200, 201, 202}));
    }
    EXPECT_EQ(noted->exits.load(), 0U);
  }
  EXPECT_EQ(noted->starts.load(), 2U);
  EXPECT_EQ(noted->in_workers.load(), 2U);
  EXPECT_EQ(noted->exits.load(), 2U);
  EXPECT_EQ(oven, 0U) << "only in the workers";
}

TEST_F(hooks, run_at_both_ends_of_each_call_of_a_snapshot_pool) {
  snapshot_pool pool(pool_options{.workers = 2, .on_worker_start = heat, .on_worker_exit = clean});
  for (unsigned call = 1; call != 4; ++call) {
    EXPECT_EQ(pool.map(indices(3), bake), (std::vector<unsigned>{200, 201, 202}));
    EXPECT_EQ(noted->starts.load(), 2 * call);
    EXPECT_EQ(noted->exits.load(), 2 * call);
  }
}

TEST_F(hooks, start_in_a_replacement_and_do_not_end_a_crash) {
  std::size_t deaths = 0;
  {
    process_pool pool(pool_options{.workers = 2, .on_worker_start = heat, .on_worker_exit = clean});
    const auto outcomes = pool.try_map(indices(20), [](std::size_t i) {
      if (i == 7) std::abort();
      return bake(i);
    });
    for (std::size_t i = 0; i < 20; ++i) {
      ASSERT_EQ(outcomes[i].has_value(), i != 7);
      if (i != 7) {
        EXPECT_EQ(outcomes[i].value(), 200 + i);
      }
    }
    deaths = pool.report().deaths;
  }
  EXPECT_GE(deaths, 1U);
  EXPECT_GE(noted->exits.load(), 1U);
  EXPECT_EQ(noted->starts.load(), noted->exits.load() + deaths);
}

// ---- A start that fails ----

template <class Pool>
std::string give_up_of(Pool& pool) {
  try {
    std::ignore = pool.map(indices(3), [](std::size_t i) { return i; });
  } catch (const start_failed& failed) {
    return failed.what();
  }
  return "nothing was thrown";
}

TEST_F(hooks, that_throw_at_the_start_are_told_and_may_get_better) {
  process_pool pool(pool_options{.workers = 2, .on_worker_start = [] {
                                   noted->starts.fetch_add(1);
                                   if (noted->fails) throw std::runtime_error("no gas in the oven");
                                 }});
  EXPECT_THAT(give_up_of(pool), AllOf(HasSubstr("workers in a row"),
                                      HasSubstr("on_worker_start threw std::runtime_error: no gas in the oven")));
  EXPECT_GE(noted->starts.load(), 9U);
  noted->fails = false;
  EXPECT_EQ(pool.map(indices(3), [](std::size_t i) { return i; }), (std::vector<std::size_t>{0, 1, 2}));
}

TEST_F(hooks, that_crash_or_leave_at_the_start_are_told) {
  snapshot_pool crashes(pool_options{.workers = 1, .on_worker_start = [] {
                                       if (nobodys == nullptr) std::abort();
                                     }});
  EXPECT_THAT(give_up_of(crashes), HasSubstr("on_worker_start crashed (SIGABRT, aborted)"));
  process_pool leaves(pool_options{.workers = 1, .on_worker_start = [] { _exit(3); }});
  EXPECT_THAT(give_up_of(leaves), HasSubstr("on_worker_start left with exit status 3"));
  process_pool throws_4(pool_options{.workers = 1, .on_worker_start = [] { throw 4; }});
  EXPECT_THAT(give_up_of(throws_4), HasSubstr("on_worker_start threw int, no std::exception;"));
}

TEST_F(hooks, that_fail_in_one_worker_of_two_cost_nothing) {
  process_pool pool(pool_options{.workers = 2, .on_worker_start = [] {
                                   if (noted->starts.fetch_add(1) % 2 == 0) throw std::runtime_error("cold");
                                 }});
  for (int call = 0; call != 5; ++call) {
    EXPECT_EQ(pool.map(indices(3), [](std::size_t i) { return i; }), (std::vector<std::size_t>{0, 1, 2}));
  }
  EXPECT_GE(noted->starts.load(), 2U);
}

TEST_F(hooks, that_throw_or_crash_at_the_end_end_the_worker) {
  for (void (*last)() : {+[] { throw std::runtime_error("the oven stays dirty"); }, +[] { std::abort(); },
                         +[] { std::ignore = fork(); }}) {
    process_pool pool(pool_options{.workers = 2, .on_worker_exit = last});
    EXPECT_EQ(pool.map(indices(3), [](std::size_t i) { return i; }), (std::vector<std::size_t>{0, 1, 2}));
  }
  EXPECT_EQ(children_of(getpid()).size(), 0U);
}

// ---- Recycling ----

template <class Pool>
void expect_recycled(Pool& pool, std::size_t chunk, std::size_t slices) {
  SCOPED_TRACE(testing::Message() << "chunk " << chunk);
  const unsigned exits_before = noted->exits.load();
  const auto runners = pool.with({.chunk = chunk}).map(indices(slices), [](std::size_t) { return getpid(); });
  ASSERT_EQ(runners.size(), slices);
  std::map<pid_t, unsigned> finished;
  for (const pid_t runner : runners) ++finished[runner];
  for (const auto& [runner, count] : finished) EXPECT_LE(count, 5U);
  EXPECT_GE(finished.size(), slices / 5);
  EXPECT_EQ(pool.report().deaths, 0U) << "leaving in good order is no death";
  EXPECT_GE(noted->exits.load() + 2, exits_before + finished.size());
}

TEST_F(hooks, recycled_workers_run_no_more_than_they_may) {
  for (const std::size_t chunk : {0, 1, 3, 100}) {
    process_pool pool(
        pool_options{.workers = 2, .on_worker_start = heat, .on_worker_exit = clean, .max_slices_per_worker = 5});
    expect_recycled(pool, chunk, 60);
  }
  EXPECT_EQ(noted->exits.load(), noted->starts.load()) << "who leaves does so in good order";
  snapshot_pool pool(pool_options{.workers = 2, .on_worker_exit = clean, .max_slices_per_worker = 5});
  expect_recycled(pool, 2, 40);
}

TEST_F(hooks, recycling_from_call_to_call_loses_nothing) {
  process_pool pool(pool_options{.workers = 2, .max_slices_per_worker = 1});
  std::vector<pid_t> seen;
  for (std::size_t call = 0; call != times(50); ++call) {
    const auto runners = pool.map(indices(3), [](std::size_t) { return getpid(); });
    seen.insert(seen.end(), runners.begin(), runners.end());
  }
  ASSERT_EQ(seen.size(), 3 * times(50));
  std::map<pid_t, unsigned> finished;
  for (const pid_t runner : seen) ++finished[runner];
  EXPECT_EQ(finished.size(), seen.size()) << "every slice a worker of its own";
}

TEST_F(hooks, recycling_and_crashes_with_attempts_give_every_result) {
  process_pool pool(pool_options{.workers = 2, .max_slices_per_worker = 3});
  shared_vector<std::atomic<unsigned>> begun(60);
  const auto squares = pool.with({.attempts = 3})
                           .map(
                               indices(60),
                               [](std::size_t i, const shared_vector<std::atomic<unsigned>>& all) {
                                 if (i % 7 == 0 && all[i].fetch_add(1) == 0) std::abort();
                                 return i * i;
                               },
                               begun);
  for (std::size_t i = 0; i < 60; ++i) EXPECT_EQ(squares[i], i * i);
  EXPECT_GE(pool.report().deaths, 9U);
}

}  // namespace
