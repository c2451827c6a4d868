// All calls of a pool as one: of every verb and every thread, submitted or walked lazily, also when the pool is gone.
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;

template <class Pool>
using totals = on_every_pool<Pool>;
TYPED_TEST_SUITE(totals, every_pool, pool_names);

constexpr auto itself = [](std::size_t slice) { return slice; };

void expect_to_add_up(const report& all) {
  EXPECT_EQ(all.caller.sum(), all.wall);
  for (const worker_row& row : all.per_worker) EXPECT_EQ(row.time.sum(), all.wall) << "worker " << row.worker;
}

TYPED_TEST(totals, are_empty_before_the_first_call) {
  EXPECT_EQ(this->pool.report().calls, 0U);
  const report none = this->pool.totals();
  EXPECT_EQ(none.calls, 0U);
  EXPECT_EQ(none.wall.count(), 0);
  EXPECT_TRUE(none.advice.empty());
}

TYPED_TEST(totals, are_what_the_reports_of_all_calls_add_up_to) {
  report sum{.calls = 0};
  for (std::size_t call = 0; call < 20; ++call) {
    (void)this->pool.map(indices(100 + call), itself);
    const report one = this->pool.report();
    EXPECT_EQ(one.calls, 1U);
    sum.wall += one.wall;
    sum.slices += one.slices;
    sum.chunks += one.chunks;
    sum.bytes_out += one.bytes_out;
    sum.caller.reassemble += one.caller.reassemble;
    for (const worker_row& row : one.per_worker) sum.caller.compute += row.time.compute;
  }
  const report all = this->pool.totals();
  EXPECT_EQ(all.calls, 20U);
  EXPECT_EQ(all.verb, "map");
  EXPECT_EQ(all.way, forkful_tests::way_of<TypeParam>());
  EXPECT_EQ(all.workers, this->pool.size());
  EXPECT_EQ(all.wall, sum.wall);
  EXPECT_EQ(all.slices, sum.slices);
  EXPECT_EQ(all.chunks, sum.chunks);
  EXPECT_EQ(all.bytes_out, sum.bytes_out);
  EXPECT_EQ(all.caller.reassemble, sum.caller.reassemble);
  std::chrono::nanoseconds computed{0};
  std::size_t slices = 0;
  for (const worker_row& row : all.per_worker) {
    computed += row.time.compute;
    slices += row.slices;
  }
  EXPECT_EQ(computed, sum.caller.compute);
  EXPECT_EQ(slices, sum.slices);
  EXPECT_GT(all.peak_memory, 0U);
  EXPECT_FALSE(all.advice.empty());
  EXPECT_EQ(all.text().substr(0, 17), "20 calls of map: ");
  expect_to_add_up(all);
}

TYPED_TEST(totals, count_every_verb_also_calls_that_throw) {
  (void)this->pool.map(indices(5), itself);
  EXPECT_THROW(this->pool.for_each(indices(5),
                                   [](std::size_t slice) {
                                     if (slice == 3) throw std::out_of_range("no such slice");
                                   }),
               std::out_of_range);
  std::size_t taken = 0;
  for (const std::size_t each : this->pool.imap(indices(5), itself)) taken += each;
  EXPECT_EQ(taken, 10U);
  EXPECT_EQ(this->pool.submit([](int x) { return 2 * x; }, 21).get(), 42);
  const report all = this->pool.totals();
  EXPECT_EQ(all.calls, 4U);
  EXPECT_EQ(all.slices, 16U);
  EXPECT_EQ(all.verb, "map, for_each, imap, submit");
}

TYPED_TEST(totals, of_submitted_calls_count_time_in_which_several_were_under_way_once) {
  std::vector<future<int>> submitted;
  const auto began = std::chrono::steady_clock::now();
  for (int at = 0; at < 112; ++at) submitted.push_back(this->pool.submit([](int x) { return x; }, at));
  for (int at = 0; at < 112; ++at) EXPECT_EQ(submitted[static_cast<std::size_t>(at)].get(), at);
  const auto took = std::chrono::steady_clock::now() - began;
  const report all = this->pool.totals();
  EXPECT_EQ(all.calls, 112U);
  EXPECT_EQ(all.slices, 112U);
  EXPECT_LE(all.wall, took);
  EXPECT_GT(all.wall, this->pool.report().wall / 2);
  expect_to_add_up(all);
}

TYPED_TEST(totals, count_the_calls_of_several_threads) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this] {
      for (int call = 0; call < 25; ++call) (void)this->pool.map(indices(10), itself);
    });
  }
  for (std::thread& one : threads) one.join();
  const report all = this->pool.totals();
  EXPECT_EQ(all.calls, 100U);
  EXPECT_EQ(all.slices, 1000U);
  expect_to_add_up(all);
}

TYPED_TEST(totals, begin_anew_when_reset_and_with_every_pool) {
  (void)this->pool.map(indices(5), itself);
  this->pool.reset_totals();
  EXPECT_EQ(this->pool.totals().calls, 0U);
  EXPECT_EQ(this->pool.report().slices, 5U) << "the last call is still the last call";
  (void)this->pool.map(indices(7), itself);
  EXPECT_EQ(this->pool.totals().slices, 7U);
  TypeParam other{2U};
  EXPECT_EQ(other.totals().calls, 0U);
}

TYPED_TEST(totals, stay_when_a_pool_is_started_anew_or_moved) {
  (void)this->pool.map(indices(5), itself);
  this->pool.restart();
  (void)this->pool.map(indices(5), itself);
  this->pool.resize(2);
  TypeParam moved = std::move(this->pool);
  (void)moved.map(indices(5), itself);
  EXPECT_EQ(moved.totals().calls, 3U);
  EXPECT_EQ(moved.totals().slices, 15U);
  expect_to_add_up(moved.totals());
}

TYPED_TEST(totals, outlive_their_pool_in_futures_and_imaps) {
  std::optional<TypeParam> short_lived(std::in_place, 2U);
  auto later = short_lived->submit([](int x) { return x; }, 5);
  auto walked = short_lived->imap(std::vector<int>{1}, [](int x) { return x; });
  auto at = walked.begin();
  EXPECT_EQ(*at, 1);
  short_lived.reset();
  EXPECT_EQ(later.get(), 5);
  try {
    ++at;
  } catch (const cancelled&) {
    // The next result of an imap whose pool ended first.
  }
}

TYPED_TEST(totals, have_one_timeline_of_all_calls) {
  TypeParam recording{pool_options{.workers = 2, .record_timeline = true}};
  std::vector<std::uint64_t> numbers;
  for (int call = 0; call < 3; ++call) {
    (void)recording.with({.chunk = 5}).map(indices(20), itself);
    numbers.push_back(recording.report().call);
  }
  const report all = recording.totals();
  ASSERT_TRUE(all.has_timeline);
  std::vector<std::size_t> slices(3);
  std::chrono::nanoseconds last{0};
  for (const timeline_chunk& chunk : all.recorded.chunks) {
    for (std::size_t call = 0; call < 3; ++call) slices[call] += chunk.call == numbers[call] ? chunk.count : 0;
    last = std::max(last, chunk.end);
  }
  EXPECT_EQ(slices, (std::vector<std::size_t>{20, 20, 20}));
  EXPECT_GT(last, recording.report().began - all.began) << "the third call is behind the others";
  EXPECT_FALSE(all.recorded.caller.empty());
}

TYPED_TEST(totals, can_be_asked_for_in_a_forked_child) {
  (void)this->pool.map(indices(5), itself);
  const pid_t child = fork();
  if (child == 0) {
    const bool same = this->pool.totals().calls == 1;
    this->pool.reset_totals();
    _exit(same && this->pool.totals().calls == 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(this->pool.totals().calls, 1U);
}

}  // namespace
