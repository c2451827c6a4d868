// The timeline while it is recorded: bounded, and what it leaves out it adds to what stays.
#include "measure/recorder.hpp"

#include <gtest/gtest.h>

#include "measure/tally.hpp"

namespace {

using namespace forkful;
using detail::recorder;
using std::chrono::nanoseconds;

report begun_by(unsigned workers) {
  report r;
  r.workers = workers;
  return r;
}

timeline_chunk chunk_at(unsigned worker, std::size_t first, int begin, int end) {
  return {worker, first, 1, 1, nanoseconds(begin), nanoseconds(end), nanoseconds(1), nanoseconds(2)};
}

TEST(recorder, keeps_chunks_by_worker_then_by_time) {
  recorder kept(begun_by(2), nullptr);
  kept.add(chunk_at(1, 5, 30, 40));
  kept.add(chunk_at(0, 6, 35, 45));
  kept.add(chunk_at(1, 4, 10, 20));
  const timeline all = kept.take();
  ASSERT_EQ(all.chunks.size(), 3U);
  EXPECT_EQ(all.chunks[0].first, 6U);
  EXPECT_EQ(all.chunks[1].first, 4U);
  EXPECT_EQ(all.chunks[2].first, 5U);
  EXPECT_FALSE(all.thinned);
}

TEST(recorder, draws_neighbours_together_when_there_are_too_many) {
  constexpr std::size_t count = 25 * recorder::most;
  recorder kept(begun_by(3), nullptr);
  for (std::size_t i = 0; i < count; ++i) {
    const int at = static_cast<int>(i) * 10;
    kept.add(chunk_at(static_cast<unsigned>(i % 3), i, at, at + 25));
  }
  const timeline all = kept.take();
  EXPECT_TRUE(all.thinned);
  EXPECT_LE(all.chunks.size(), recorder::most);
  EXPECT_GE(all.chunks.size(), recorder::most / 4) << "thinned, not thrown away";
  std::size_t slices = 0;
  std::size_t merged = 0;
  std::size_t most = 0;
  nanoseconds pass_in{0};
  for (std::size_t i = 0; i < all.chunks.size(); ++i) {
    const timeline_chunk& one = all.chunks[i];
    slices += one.count;
    merged += one.merged;
    most = std::max(most, one.merged);
    pass_in += one.pass_in;
    EXPECT_EQ(one.first % 3, one.worker);
    if (i != 0 && all.chunks[i - 1].worker == one.worker) {
      ASSERT_LE(all.chunks[i - 1].end, one.begin) << "they do not overlap";
    }
  }
  EXPECT_EQ(slices, count);
  EXPECT_EQ(merged, count);
  EXPECT_EQ(pass_in, nanoseconds(count));
  EXPECT_LE(most, 64U) << "evenly";
}

TEST(recorder, bounds_the_callers_steps) {
  recorder kept(begun_by(1), nullptr);
  constexpr int count = 200'000;
  for (int i = 0; i < count; ++i) {
    const auto what = i % 2 == 0 ? timeline_step::kind::pass_in : timeline_step::kind::idle;
    const int length = i % 1000 == 0 ? 50'000 : 50;
    static int at = 0;
    kept.add({what, nanoseconds(at), nanoseconds(at + length)});
    at += length;
  }
  const timeline all = kept.take();
  EXPECT_TRUE(all.thinned);
  ASSERT_FALSE(all.caller.empty());
  EXPECT_LE(all.caller.size(), recorder::most);
  EXPECT_EQ(all.caller.front().begin, nanoseconds(0));
  for (std::size_t i = 1; i < all.caller.size(); ++i) ASSERT_EQ(all.caller[i].begin, all.caller[i - 1].end);
  std::size_t long_ones = 0;
  for (const timeline_step& one : all.caller) long_ones += one.end - one.begin >= nanoseconds(50'000) ? 1 : 0;
  EXPECT_EQ(long_ones, 200U) << "what is long stays to be seen";
}

TEST(recorder, joins_steps_of_one_kind) {
  recorder kept(begun_by(1), nullptr);
  kept.add({timeline_step::kind::idle, nanoseconds(0), nanoseconds(10)});
  kept.add({timeline_step::kind::idle, nanoseconds(10), nanoseconds(20)});
  const timeline all = kept.take();
  ASSERT_EQ(all.caller.size(), 1U);
  EXPECT_EQ(all.caller[0].end, nanoseconds(20));
  EXPECT_FALSE(all.thinned);
}

TEST(recorder, bounds_events_and_sorts_them) {
  recorder kept(begun_by(1), nullptr);
  for (std::size_t i = 0; i < recorder::most_events + 5; ++i) {
    kept.add(timeline_event{timeline_event::kind::slice_failed, 0, i, nanoseconds(1'000'000 - i), "x"});
  }
  const timeline all = kept.take();
  EXPECT_EQ(all.events.size(), recorder::most_events);
  EXPECT_TRUE(all.thinned);
  EXPECT_LT(all.events.front().at, all.events.back().at);
}

// It is counted in the middle of recovery from a death, where nothing may be thrown: one slice may be there with several attempts.
TEST(tally, keeps_the_slowest_in_the_memory_it_had_at_first_however_few_slices_there_are) {
  detail::job work{};
  work.slices = 1;
  detail::tally counted(work, 1, detail::stopwatch::phase::wake);
  const auto* const room = counted.happened.slowest.data();
  for (int i = 1; i <= 10; ++i) counted.add_slow({0, 1, 0, std::chrono::microseconds(i)});
  EXPECT_EQ(counted.happened.slowest.size(), detail::most_slowest);
  EXPECT_EQ(counted.happened.slowest.data(), room);
}

}  // namespace
