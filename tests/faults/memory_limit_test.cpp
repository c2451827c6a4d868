// Slices that take more memory than their worker may: docs/protocol.md, 15. They fail with bad_alloc; no worker dies of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <forkful/forkful.hpp>
#include <new>
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
using namespace forkful_tests;

constexpr std::size_t mb = std::size_t{1} << 20;
constexpr std::size_t slices = 20;
constexpr std::size_t bad = 7;

class memory_limit : public testing::Test {
 protected:
  void SetUp() override {
    if (sanitized) GTEST_SKIP() << "AddressSanitizer ends a process that is refused memory";
  }
  const watchdog bites_;
};

// What a slice takes, and gives back when it is done or thrown out.
enum class taking { at_once, bit_by_bit, shared, both };

std::size_t take(std::size_t i, const taking& how) {
  const std::size_t bytes = i == bad ? 200 * mb : 24 * mb;
  switch (how) {
    case taking::at_once:
      return std::vector<char>(bytes, 'x').size() / mb;
    case taking::bit_by_bit: {
      std::vector<std::vector<char>> parts;
      for (std::size_t taken = 0; taken < bytes; taken += mb / 8) parts.emplace_back(mb / 8, 'x');
      return parts.size() / 8;
    }
    case taking::shared: {
      std::vector<shared_vector<char>> parts;
      for (std::size_t taken = 0; taken < bytes; taken += mb) parts.emplace_back(mb, 'x');
      return parts.size();
    }
    case taking::both: {
      // Neither is too much by itself.
      const shared_vector<char> shared(i == bad ? 40 * mb : 4 * mb, 'x');
      return std::vector<char>(i == bad ? 40 * mb : 20 * mb, 'x').size() / mb + shared.size() / mb;
    }
  }
  return 0;
}

template <class Pool>
void expect_one_refused(Pool& pool, taking how, std::size_t chunk) {
  SCOPED_TRACE(testing::Message() << "taking " << static_cast<int>(how) << ", chunk " << chunk);
  const auto outcomes = pool.with({.chunk = chunk}).try_map(indices(slices), take, how);
  ASSERT_EQ(outcomes.size(), slices);
  for (std::size_t i = 0; i < slices; ++i) {
    ASSERT_EQ(outcomes[i].has_value(), i != bad) << i;
    if (i != bad) {
      EXPECT_EQ(outcomes[i].value(), 24U);
    }
  }
  EXPECT_EQ(outcomes[bad].failure().kind, forkful::failure_kind::memory);
  EXPECT_EQ(outcomes[bad].failure().type, "std::bad_alloc");
  EXPECT_EQ(pool.report().deaths, 0U) << "its worker is replaced in good order";
}

TEST_F(memory_limit, costs_a_process_pool_the_slice_that_takes_too_much) {
  process_pool pool(pool_options{.workers = 2, .worker_memory_limit = 64 * mb});
  for (const taking how : {taking::at_once, taking::bit_by_bit, taking::shared, taking::both}) {
    expect_one_refused(pool, how, 0);
    expect_one_refused(pool, how, 1);
  }
}

TEST_F(memory_limit, costs_a_snapshot_pool_the_slice_that_takes_too_much) {
  snapshot_pool pool(pool_options{.workers = 2, .worker_memory_limit = 64 * mb});
  for (const taking how : {taking::at_once, taking::shared, taking::both}) expect_one_refused(pool, how, 5);
}

TEST_F(memory_limit, is_thrown_by_map_with_the_slice) {
  process_pool pool(pool_options{.workers = 2, .worker_memory_limit = 64 * mb});
  try {
    std::ignore = pool.map(indices(slices), take, taking::at_once);
    FAIL() << "nothing was thrown";
  } catch (const std::bad_alloc& refused) {
    const auto* info = dynamic_cast<const forkful::slice_info*>(&refused);
    ASSERT_NE(info, nullptr);
    EXPECT_EQ(info->slice(), bad);
  }
}

TEST_F(memory_limit, replaces_the_worker_that_reached_it) {
  process_pool pool(pool_options{.workers = 1, .worker_memory_limit = 64 * mb});
  static std::vector<std::vector<char>> leaked;
  const auto leak = [](std::size_t) {
    leaked.emplace_back(20 * mb, 'x');
    return getpid();
  };
  std::vector<pid_t> runners;
  std::size_t refused = 0;
  for (int call = 0; call != 12; ++call) {
    for (const auto& outcome : pool.with({.chunk = 1}).try_map(indices(1), leak)) {
      if (outcome.has_value()) {
        runners.push_back(outcome.value());
      } else {
        EXPECT_EQ(outcome.failure().kind, forkful::failure_kind::memory);
        ++refused;
      }
    }
  }
  EXPECT_EQ(runners.size() + refused, 12U);
  EXPECT_EQ(refused, 3U) << "three of 20 MB fit, the fourth does not";
  runners.erase(std::unique(runners.begin(), runners.end()), runners.end());
  EXPECT_EQ(runners.size(), 3U);
}

TEST_F(memory_limit, does_not_count_what_the_caller_has_got) {
  process_pool pool(pool_options{.workers = 1, .worker_memory_limit = 64 * mb});
  const auto made = pool.with({.chunk = 1}).map(indices(slices), [](std::size_t i) {
    return shared_vector<char>(20 * mb, static_cast<char>(i));
  });
  ASSERT_EQ(made.size(), slices);
  for (std::size_t i = 0; i < slices; ++i) EXPECT_EQ(made[i][20 * mb - 1], static_cast<char>(i));
}

// Takes blocks of less and less until not even the smallest is to be had, and frees none.
std::size_t take_the_last(std::size_t i) {
  if (i != bad) return 10 * i;
  void* taken = nullptr;
  for (std::size_t bytes = 4096;; bytes /= 2) {
    try {
      for (;;) {
        void* const block = ::operator new(bytes);
        std::memcpy(block, &taken, sizeof taken);
        taken = block;
      }
    } catch (const std::bad_alloc&) {
      if (bytes == sizeof taken) throw;
    }
  }
}

TEST_F(memory_limit, leaves_results_in_their_places_where_nothing_at_all_is_left) {
  process_pool pool(pool_options{.workers = 1, .worker_memory_limit = 64 * mb});
  const auto outcomes = pool.with({.chunk = slices}).try_map(indices(slices), take_the_last);
  ASSERT_EQ(outcomes.size(), slices);
  for (std::size_t i = 0; i < slices; ++i) {
    ASSERT_EQ(outcomes[i].has_value(), i != bad) << i;
    if (i != bad) {
      EXPECT_EQ(outcomes[i].value(), 10 * i);
    }
  }
  EXPECT_EQ(outcomes[bad].failure().kind, forkful::failure_kind::memory);
}

std::vector<char>* loaded = nullptr;

TEST_F(memory_limit, does_not_count_what_on_worker_start_took) {
  process_pool pool(pool_options{.workers = 2,
                                 .on_worker_start = [] { loaded = new std::vector<char>(100 * mb, 'x'); },
                                 .worker_memory_limit = 64 * mb});
  expect_one_refused(pool, taking::at_once, 0);
}

}  // namespace
