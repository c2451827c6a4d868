// A call that is asked to stop, and a call that reports how far it is.
#include <unistd.h>
#include <algorithm>

#include <atomic>
#include <limits>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "backends/every_pool.hpp"
#include "support/in_child.hpp"

namespace {

using namespace forkful;
using namespace std::chrono_literals;
using forkful_tests::every_pool;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;

template <class Pool>
using stopped_on = on_every_pool<Pool>;
TYPED_TEST_SUITE(stopped_on, every_pool, pool_names);

std::string slow(std::size_t i) {
  std::this_thread::sleep_for(1ms);
  return std::to_string(i);
}

// Asks for a stop when a few slices have begun. Those that begin before the stop are finished.
struct asked_meanwhile {
  shared_vector<int> begun = shared_vector<int>(1);
  std::stop_source source{};
  std::thread asks{[this] {
    while (std::atomic_ref(begun[0]).load() < 5) std::this_thread::yield();
    source.request_stop();
  }};
  asked_meanwhile() = default;
  asked_meanwhile(const asked_meanwhile&) = delete;
  asked_meanwhile& operator=(const asked_meanwhile&) = delete;
  ~asked_meanwhile() { asks.join(); }
};

std::string counted(std::size_t i, std::span<int> begun) {
  ++std::atomic_ref(begun[0]);
  return slow(i);
}

TYPED_TEST(stopped_on, before_it_begins_it_throws_at_once) {
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW((void)this->pool.with({.stop = source.get_token()}).map(indices(3), slow), cancelled);
  EXPECT_THROW((void)this->pool.with({.stop = source.get_token()}).submit(slow, std::size_t{1}), cancelled);
}

TYPED_TEST(stopped_on, map_throws_cancelled_and_the_pool_goes_on) {
  {
    asked_meanwhile stop;
    try {
      (void)this->pool.with({.chunk = 100, .stop = stop.source.get_token()})
          .map(indices(100'000), counted, std::span(stop.begun));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const cancelled& error) {
      EXPECT_NE(std::string(error.what()).find("was not finished"), std::string::npos);
      EXPECT_LT(dynamic_cast<const slice_info&>(error).slice(), 100'000U);
    }
  }
  EXPECT_EQ(this->pool.map(indices(3), slow).size(), 3U);
}

TYPED_TEST(stopped_on, try_map_keeps_what_was_done) {
  asked_meanwhile stop;
  const auto outcomes = this->pool.with({.chunk = 10, .stop = stop.source.get_token()})
                            .try_map(indices(20'000), counted, std::span(stop.begun));
  ASSERT_EQ(outcomes.size(), 20'000U);
  std::size_t done = 0;
  for (std::size_t i = 0; i != outcomes.size(); ++i) {
    if (outcomes[i]) {
      ASSERT_EQ(outcomes[i].value(), std::to_string(i));
      ++done;
    } else {
      ASSERT_EQ(outcomes[i].failure().kind, failure_kind::cancelled);
      ASSERT_EQ(outcomes[i].failure().slice, i);
    }
  }
  EXPECT_EQ(done, static_cast<std::size_t>(stop.begun[0])) << "what was begun was finished";
  EXPECT_GE(done, 5U);
  EXPECT_LT(done, outcomes.size());
}

TYPED_TEST(stopped_on, progress_is_told_to_the_end) {
  std::vector<progress> told;
  const std::thread::id here = std::this_thread::get_id();
  bool elsewhere = false;
  (void)this->pool
      .with({.chunk = 1,
             .progress =
                 [&](const progress& now) {
                   told.push_back(now);
                   elsewhere = elsewhere || std::this_thread::get_id() != here;
                 }})
      .map(indices(300), slow);
  ASSERT_GE(told.size(), 1U);
  EXPECT_FALSE(elsewhere);
  for (std::size_t i = 0; i != told.size(); ++i) {
    EXPECT_EQ(told[i].total, 300U);
    if (i == 0) continue;
    EXPECT_GE(told[i].done, told[i - 1].done);
    if (i + 1 != told.size()) {
      EXPECT_GE(told[i].elapsed - told[i - 1].elapsed, 99ms);
    }
  }
  EXPECT_EQ(told.back().done, 300U);
}

TYPED_TEST(stopped_on, what_progress_throws_ends_the_call) {
  const auto impatient = [](const progress& /*now*/) { throw std::runtime_error("enough"); };
  try {
    (void)this->pool.with({.progress = impatient}).map(indices(50), slow);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "enough");
  }
  EXPECT_EQ(this->pool.map(indices(3), slow).size(), 3U);
}

// The progress of chunks that are still running counts, and slices that did not run do not.
TYPED_TEST(stopped_on, progress_counts_what_ran) {
  if (forkful_tests::way_of<TypeParam>() == "auto") GTEST_SKIP() << "is a loop or a pool of threads";
  // Where the caller does the work, it reports in between; elsewhere slices wait until it has reported.
  const int waits = forkful_tests::alone<TypeParam>() ? 1 : std::numeric_limits<int>::max();
  constexpr std::size_t all = 1000;
  std::stop_source source;
  shared_vector<int> stopped(1, 0);
  std::size_t last = 0;
  bool inside = false;
  const auto look = [&](const progress& now) {
    EXPECT_LE(last, now.done);
    last = now.done;
    if (now.done == 0 || now.done == all) return;
    inside = true;
    source.request_stop();
    std::atomic_ref(stopped[0]).store(1);
  };
  const auto outcomes = this->pool.with({.chunk = all / 2, .progress = look, .stop = source.get_token()})
                            .try_map(
                                indices(all),
                                [](std::size_t i, std::span<int> goes_on, int most) {
                                  for (int n = 0; i >= 20 && n != most && std::atomic_ref(goes_on[0]).load() == 0; ++n)
                                    std::this_thread::sleep_for(1ms);
                                  return i;
                                },
                                std::span(stopped), waits);
  EXPECT_TRUE(inside) << "no progress before a chunk was done";
  const auto done = static_cast<std::size_t>(
      std::count_if(outcomes.begin(), outcomes.end(), [](const auto& one) { return one.has_value(); }));
  EXPECT_EQ(last, done);
  EXPECT_LT(done, all);
}

// However many slices there are: the first ones do not wait for a large chunk.
TYPED_TEST(stopped_on, imap_gives_first_results_before_it_knows_how_long_slices_take) {
  shared_vector<int> seen(1, 0);
  std::size_t count = 0;
  for (const std::size_t result : this->pool.imap(
           indices(2'000),
           [](std::size_t i, std::span<int> first) {
             while (i >= 16 && std::atomic_ref(first[0]).load() == 0) std::this_thread::sleep_for(1ms);
             return i;
           },
           std::span(seen))) {
    EXPECT_EQ(result, count);
    std::atomic_ref(seen[0]).store(1);
    ++count;
  }
  EXPECT_EQ(count, 2'000U);
}

// Two slices, of which the second runs until the caller, which takes the first one's result, has asked for the stop.
struct last_slice {
  std::atomic<bool> has_begun{false};
  std::atomic<bool> may_end{false};
};
last_slice* in_shared_memory = nullptr;
std::stop_source* asked_by_caller = nullptr;
pid_t caller = 0;

template <class Pool>
using stopped_processes = testing::Test;
TYPED_TEST_SUITE(stopped_processes, forkful_tests::pools_of_processes, pool_names);

TYPED_TEST(stopped_processes, when_all_slices_have_begun_lose_nothing) {
  const forkful_tests::seen_by_all<last_slice> last;
  std::stop_source source;
  in_shared_memory = &*last;
  asked_by_caller = &source;
  caller = getpid();
  TypeParam pool{2U};
  const auto sum = [](std::size_t x, std::size_t y) {
    if (getpid() == caller && y == 1) {
      while (!in_shared_memory->has_begun) std::this_thread::yield();
      asked_by_caller->request_stop();
      in_shared_memory->may_end = true;
    }
    return x + y;
  };
  const auto one_more = [](std::size_t i) {
    if (i == 1) {
      in_shared_memory->has_begun = true;
      while (!in_shared_memory->may_end) std::this_thread::yield();
    }
    return i + 1;
  };
  auto stoppable = pool.with({.chunk = 1, .stop = source.get_token()});
  EXPECT_EQ(stoppable.transform_reduce(indices(2), std::size_t{0}, sum, one_more), 3U);
  EXPECT_TRUE(source.stop_requested());
}

}  // namespace
