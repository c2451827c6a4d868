// submit: single calls, whose results are had later, in any order, by any thread.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using namespace std::chrono_literals;
using forkful_tests::every_pool;
using forkful_tests::isolated;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;
using forkful_tests::pools_of_processes;

template <class Pool>
using submit_on = on_every_pool<Pool>;
TYPED_TEST_SUITE(submit_on, every_pool, pool_names);

std::size_t letters_of(std::string_view text) { return text.size(); }

TYPED_TEST(submit_on, gives_results_of_any_kind_once) {
  auto text = this->pool.submit([](int n, const std::string& what) { return std::to_string(n) + what; }, 3, " cakes");
  auto nothing = this->pool.submit([] {});
  auto counted = this->pool.submit(letters_of, "sponge");
  auto many = this->pool.submit([](const std::vector<int>& v) { return std::vector<int>(v.rbegin(), v.rend()); },
                                std::vector<int>{1, 2, 3});
  EXPECT_EQ(counted.get(), 6U);
  EXPECT_EQ(text.get(), "3 cakes");
  EXPECT_EQ(this->pool.report().slices, 1U);
  nothing.get();
  EXPECT_EQ(many.get(), (std::vector<int>{3, 2, 1}));
  EXPECT_FALSE(text.valid());
  EXPECT_THROW((void)text.get(), std::logic_error);
  EXPECT_THROW((void)text.ready(), std::logic_error);
}

TYPED_TEST(submit_on, rethrows_what_the_call_threw) {
  auto bad = this->pool.submit([]() -> int { throw std::domain_error("burnt"); });
  try {
    (void)bad.get();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::domain_error& error) {
    EXPECT_STREQ(error.what(), "burnt");
    EXPECT_EQ(dynamic_cast<const slice_info&>(error).slice(), 0U);
  }
}

TYPED_TEST(submit_on, holds_more_calls_than_there_is_room_for_on_the_board) {
  constexpr int count = isolated<TypeParam> && !forkful_tests::ships<TypeParam> ? 40 : 5000;
  std::vector<future<int>> futures;
  for (int i = 0; i != count; ++i) futures.push_back(this->pool.submit([](int x) { return 2 * x; }, i));
  for (int i = count - 1; i >= 0; --i) ASSERT_EQ(futures[static_cast<std::size_t>(i)].get(), 2 * i);
}

TYPED_TEST(submit_on, forgets_results_that_nobody_wants) {
  for (int i = 0; i != 100; ++i)
    (void)this->pool.submit([](int x) { return std::string(1000, 'x') + std::to_string(x); }, i);
  EXPECT_EQ(this->pool.submit([] { return 1; }).get(), 1);
}

TYPED_TEST(submit_on, outlives_its_pool) {
  future<std::string> late;
  {
    TypeParam gone(2U);
    late = gone.submit([] { return std::string("done"); });
  }
  EXPECT_TRUE(late.ready());
  EXPECT_EQ(late.get(), "done");
}

TYPED_TEST(submit_on, waits_for_any) {
  std::vector<future<int>> futures;
  for (int i = 0; i != 3; ++i) futures.push_back(this->pool.submit([](int x) { return x; }, i));
  std::vector<int> got;
  while (!futures.empty()) {
    const std::size_t first = wait_any(futures);
    ASSERT_LT(first, futures.size());
    EXPECT_TRUE(futures[first].ready());
    got.push_back(futures[first].get());
    futures.erase(futures.begin() + static_cast<std::ptrdiff_t>(first));
  }
  EXPECT_EQ(got.size(), 3U);
  EXPECT_THROW((void)wait_any(futures), std::invalid_argument);
}

TYPED_TEST(submit_on, is_cancelled_by_the_end_of_a_pool_that_is_terminated) {
  auto done = this->pool.submit([] { return 1; });
  EXPECT_TRUE(done.wait_for(1h));
  this->pool.terminate();
  EXPECT_EQ(done.get(), 1) << "what is done is done";
  EXPECT_THROW((void)this->pool.submit([] { return 1; }), pool_closed);
  EXPECT_THROW((void)this->pool.map(indices(3), [](std::size_t i) { return i; }), pool_closed);
  this->pool.restart();
  EXPECT_EQ(this->pool.submit([] { return 2; }).get(), 2);
  EXPECT_EQ(this->pool.map(indices(3), [](std::size_t i) { return i; }).size(), 3U);
}

TYPED_TEST(submit_on, changes_the_number_of_its_workers) {
  this->pool.resize(2);
  EXPECT_EQ(this->pool.size(), forkful_tests::alone<TypeParam>() ? 1U : 2U);
  EXPECT_EQ(this->pool.submit([] { return 2; }).get(), 2);
  this->pool.resize(4);
  EXPECT_EQ(this->pool.size(), forkful_tests::alone<TypeParam>() ? 1U : 4U);
  EXPECT_EQ(this->pool.map(indices(100), [](std::size_t i) { return i; }).size(), 100U);
}

TYPED_TEST(submit_on, keeps_what_is_done_when_the_pool_is_terminated_before_anybody_looked) {
  std::vector<future<int>> done;
  for (int i = 0; i != 3; ++i) done.push_back(this->pool.submit([](int x) { return x; }, i));
  for (auto& one : done) ASSERT_TRUE(one.wait_for(1h));
  this->pool.terminate();
  for (int i = 0; i != 3; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)].get(), i);
}

TYPED_TEST(submit_on, waits_for_no_time_and_for_ever) {
  auto one = this->pool.submit([] { return 1; });
  (void)one.wait_for(-std::chrono::hours(24 * 365));
  EXPECT_TRUE(one.wait_for(std::chrono::hours::max()));
  EXPECT_EQ(one.get(), 1);
}

TYPED_TEST(submit_on, works_beside_an_imap_that_is_half_walked) {
  auto results = this->pool.imap(indices(1000), [](std::size_t i) { return i; });
  auto at = results.begin();
  for (int i = 0; i != 10; ++i) EXPECT_EQ(this->pool.submit([](int x) { return x; }, i).get(), i);
  ++at;
  EXPECT_EQ(*at, 1U);
}

// ---- What only workers in other processes can do ----

template <class Pool>
using submit_to_processes = on_every_pool<Pool>;
TYPED_TEST_SUITE(submit_to_processes, pools_of_processes, pool_names);

void hang() {
  for (;;) std::this_thread::sleep_for(1h);
}

TYPED_TEST(submit_to_processes, can_be_killed_and_nothing_else_is_lost) {
  auto endless = this->pool.submit(hang);
  auto other = this->pool.submit([] { return 4; });
  EXPECT_EQ(other.get(), 4) << "it need not wait for the endless one";
  EXPECT_FALSE(endless.wait_for(1ms));
  EXPECT_FALSE(endless.ready());
  EXPECT_TRUE(endless.cancel(forkful::kill));
  EXPECT_THROW(endless.get(), cancelled);
  EXPECT_EQ(this->pool.submit([] { return 5; }).get(), 5);
}

TYPED_TEST(submit_to_processes, throws_cancelled_when_the_pool_is_terminated_meanwhile) {
  auto endless = this->pool.submit(hang);
  this->pool.terminate();
  try {
    endless.get();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const cancelled& error) {
    EXPECT_NE(std::string(error.what()).find("terminated"), std::string::npos);
  }
}

TEST(pool_of_snapshots, tells_its_size_inside_a_slice) {
  snapshot_pool pool(2U);
  EXPECT_EQ(pool.map(indices(3), [&](std::size_t) { return pool.size(); }), (std::vector<unsigned>{2, 2, 2}));
}

TYPED_TEST(submit_to_processes, tells_a_crash) {
  auto crash = this->pool.submit([] { __builtin_trap(); });
  EXPECT_THROW(crash.get(), worker_crashed);
}

TEST(submit_to_a_process_pool, is_cancelled_if_nobody_has_begun_it) {
  process_pool pool(1U);
  auto first = pool.submit(hang);
  auto second = pool.submit([] { return 1; });
  auto third = pool.submit([] { return 3; });
  EXPECT_TRUE(second.cancel());
  EXPECT_THROW((void)second.get(), cancelled);
  EXPECT_TRUE(first.cancel(forkful::kill));
  EXPECT_EQ(third.get(), 3);
  EXPECT_THROW(first.get(), cancelled);
}

TEST(submit_to_a_process_pool, may_be_waited_for_and_cancelled_by_several_threads) {
  process_pool pool(2U);
  for (int round = 0; round != 10; ++round) {
    auto endless = pool.submit(hang);
    std::atomic<int> waiting{0};
    std::vector<std::thread> threads;
    for (int i = 0; i != 3; ++i) {
      threads.emplace_back([&] {
        ++waiting;
        while (!endless.wait_for(1s)) {
        }
      });
    }
    while (waiting != 3) std::this_thread::yield();
    while (!endless.cancel(forkful::kill)) std::this_thread::yield();
    for (std::thread& one : threads) one.join();
    EXPECT_THROW(endless.get(), cancelled);
  }
}

}  // namespace
