// Slices that take too long, or stop: docs/protocol.md, 14. Exactly the late slice fails, named; its chunk's others do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <forkful/forkful.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "faults/killing.hpp"

namespace {

using namespace std::chrono_literals;
using forkful::indices;
using forkful::process_pool;
using forkful::shared_vector;
using forkful::slice_timeout;
using forkful::snapshot_pool;
using namespace forkful_tests;
using testing::HasSubstr;

enum class delay { hang, spin, stop };

void never_return(delay how) {
  if (how == delay::stop) raise(SIGSTOP);
  volatile bool for_ever = true;
  while (for_ever) {
    if (how == delay::hang) pause();
  }
}

using counters = shared_vector<std::atomic<unsigned>>;

constexpr std::size_t slices = 30;
constexpr std::size_t bad = 17;
// Long enough for a slice that does nothing, also on a busy machine.
constexpr auto limit = sanitized ? 800ms : 400ms;

std::size_t square_unless_bad(std::size_t i, const counters& begun, const delay& how) {
  begun[i].fetch_add(1);
  if (i == bad) never_return(how);
  return i * i;
}

void expect_named(const slice_timeout& late, unsigned attempt) {
  EXPECT_EQ(late.slice(), bad);
  EXPECT_EQ(late.attempt(), attempt);
  EXPECT_EQ(late.failure().kind, forkful::failure_kind::timeout);
  EXPECT_THAT(late.what(),
              HasSubstr("slice 17 ran longer than its timeout of " + std::to_string(limit.count()) + " ms"));
}

class late_slice : public testing::Test {
 protected:
  const watchdog bites_;
  counters begun_ = counters(slices);
};

template <class Pool>
void try_map_loses_one(Pool& pool, const counters& begun, delay how, std::size_t chunk, unsigned attempts) {
  SCOPED_TRACE(testing::Message() << "delay " << static_cast<int>(how) << ", chunk " << chunk);
  for (auto& each : begun) each.store(0);
  const auto outcomes = pool.with({.chunk = chunk, .timeout = limit, .attempts = attempts})
                            .try_map(indices(slices), square_unless_bad, begun, how);
  ASSERT_EQ(outcomes.size(), slices);
  for (std::size_t i = 0; i < slices; ++i) {
    ASSERT_EQ(outcomes[i].has_value(), i != bad) << i;
    if (i != bad) {
      EXPECT_EQ(outcomes[i].value(), i * i);
    }
  }
  EXPECT_EQ(begun[bad].load(), attempts) << "the first death names it";
  EXPECT_EQ(pool.report().deaths, attempts);
  try {
    std::ignore = outcomes[bad].value();
    FAIL() << "nothing was thrown";
  } catch (const slice_timeout& late) {
    expect_named(late, attempts);
  }
}

TEST_F(late_slice, costs_a_process_pool_one_slice) {
  process_pool pool{2};
  try_map_loses_one(pool, begun_, delay::hang, 0, 1);
  try_map_loses_one(pool, begun_, delay::spin, 7, 2);
  try_map_loses_one(pool, begun_, delay::stop, 1, 1);
}

TEST_F(late_slice, costs_a_snapshot_pool_one_slice) {
  snapshot_pool pool{2};
  try_map_loses_one(pool, begun_, delay::hang, 7, 2);
  try_map_loses_one(pool, begun_, delay::stop, 0, 1);
}

TEST_F(late_slice, is_thrown_by_map_after_all_slices_below_it) {
  process_pool pool{2};
  try {
    std::ignore = pool.with({.timeout = limit}).map(indices(slices), square_unless_bad, begun_, delay::hang);
    FAIL() << "nothing was thrown";
  } catch (const slice_timeout& late) {
    expect_named(late, 1);
  }
  for (std::size_t i = 0; i < bad; ++i) EXPECT_GE(begun_[i].load(), 1U);
  EXPECT_EQ(pool.map(indices(3), [](std::size_t i) { return i; }), (std::vector<std::size_t>{0, 1, 2}));
}

TEST_F(late_slice, that_is_in_time_the_second_time_costs_nothing) {
  process_pool pool{2};
  const auto squares = pool.with({.chunk = 5, .timeout = limit, .attempts = 2})
                           .map(
                               indices(slices),
                               [](std::size_t i, const counters& begun) {
                                 if (begun[i].fetch_add(1) == 0 && i == bad) never_return(delay::hang);
                                 return i * i;
                               },
                               begun_);
  for (std::size_t i = 0; i < slices; ++i) EXPECT_EQ(squares[i], i * i);
  EXPECT_EQ(begun_[bad].load(), 2U);
  EXPECT_EQ(pool.report().deaths, 1U);
}

TEST_F(late_slice, in_place_is_the_only_one_half_done) {
  process_pool pool{2};
  shared_vector<double> table(slices, 1.0);
  table[bad] = 2.0;
  const auto outcomes = pool.with({.timeout = limit}).try_for_each(table, [](double& x) {
    const bool late = x == 2.0;
    x += 10;
    if (late) never_return(delay::hang);
  });
  for (std::size_t i = 0; i < slices; ++i) {
    EXPECT_EQ(outcomes[i].has_value(), i != bad) << i;
    EXPECT_EQ(table[i], i == bad ? 12.0 : 11.0) << i;
  }
  EXPECT_THAT(outcomes[bad].failure().what, HasSubstr("half done"));
  EXPECT_EQ(outcomes[bad].failure().kind, forkful::failure_kind::timeout);
}

TEST_F(late_slice, in_place_is_put_back_before_its_next_attempt) {
  process_pool pool{2};
  shared_vector<double> table(slices, 1.0);
  table[bad] = 2.0;
  pool.with({.timeout = limit, .attempts = 2})
      .for_each(
          table,
          [](double& x, const counters& begun) {
            const bool late = x == 2.0 && begun[bad].fetch_add(1) == 0;
            x += 10;
            if (late) never_return(delay::stop);
          },
          begun_);
  for (std::size_t i = 0; i < slices; ++i) EXPECT_EQ(table[i], i == bad ? 12.0 : 11.0) << i;
  EXPECT_EQ(begun_[bad].load(), 2U);
  EXPECT_EQ(pool.report().deaths, 1U);
}

TEST_F(late_slice, is_told_from_one_that_was_killed_in_time) {
  process_pool pool{2};
  const auto outcomes = pool.with({.timeout = 1h}).try_map(indices(slices), [](std::size_t i) {
    if (i == bad) raise(SIGKILL);
    return i;
  });
  ASSERT_FALSE(outcomes[bad].has_value());
  EXPECT_EQ(outcomes[bad].failure().kind, forkful::failure_kind::crash);
  EXPECT_EQ(outcomes[bad].failure().signal, SIGKILL);
  EXPECT_EQ(pool.report().deaths, 1U);
}

// A worker that stops before its timer is set cannot end itself: the parent sees that nothing moves. No slice was begun, so it
// costs no attempt.
TEST(stopped_before_its_slice, is_ended_by_the_parent) {
  const watchdog bites;
  const killer stops(point::claim_after, 3, 3, SIGSTOP);
  process_pool pool{2};
  const auto squares =
      pool.with({.chunk = 1, .timeout = 100ms}).map(indices(slices), [](std::size_t i) { return i * i; });
  for (std::size_t i = 0; i < slices; ++i) EXPECT_EQ(squares[i], i * i);
  EXPECT_EQ(stops.kills(), 1U);
  EXPECT_EQ(pool.report().deaths, 1U);
}

// The timer of a call is cancelled with it: a later slice without a limit may take longer.
TEST(timeout, ends_with_its_call) {
  const watchdog bites;
  process_pool pool{1};
  const auto before = pool.with({.timeout = limit}).map(indices(2), [](std::size_t) { return getpid(); });
  const auto after = pool.map(indices(1), [](std::size_t) {
    const auto until = std::chrono::steady_clock::now() + limit + 50ms;
    while (std::chrono::steady_clock::now() < until) {
    }
    return getpid();
  });
  EXPECT_EQ(before[1], after[0]);
  EXPECT_EQ(pool.report().deaths, 0U);
}

TEST(timeout, below_nothing_is_refused) {
  forkful::serial_pool serial;
  process_pool pool{1};
  const auto same = [](std::size_t i) { return i; };
  EXPECT_THROW(std::ignore = pool.with({.timeout = -1ns}).map(indices(1), same), std::invalid_argument);
  EXPECT_THROW(std::ignore = serial.with({.timeout = -1ns}).map(indices(1), same), std::invalid_argument);
  EXPECT_EQ(pool.with({.timeout = std::chrono::nanoseconds::max()}).map(indices(2), same),
            (std::vector<std::size_t>{0, 1}));
}

}  // namespace
