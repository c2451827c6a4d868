// What a program leaves for its reporter: finished calls whole, calls under way as far as they came, and no more than fits.
#include "report/journal.hpp"

#include <gtest/gtest.h>

#include "os/memory.hpp"

namespace {

using namespace forkful;
using detail::journal;
using detail::live_call;
using std::chrono::nanoseconds;

class journal_file : public testing::Test {
 protected:
  journal_file()
      : memory_(detail::map_shared(sizeof(journal), 4096)), kept(*reinterpret_cast<journal*>(memory_.base)) {}
  ~journal_file() override { detail::unmap_shared(memory_.base, memory_.size); }

 private:
  detail::shared_mapping memory_;

 protected:
  journal& kept;
};

report sample(std::uint64_t call) {
  report r;
  r.way = "process";
  r.verb = "transform_reduce";
  r.call = call;
  r.workers = 2;
  r.slices = 100;
  r.per_worker.resize(2);
  r.warnings = {"one", "two"};
  r.recorded.events.push_back({timeline_event::kind::worker_died, 1, 7, nanoseconds(5), "signal 9 (SIGKILL)"});
  return r;
}

TEST_F(journal_file, keeps_finished_calls_whole) {
  kept.add(sample(2));
  kept.add(sample(1));
  const auto all = kept.all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].call, 1U);
  EXPECT_EQ(all[1].call, 2U);
  EXPECT_TRUE(all[0].finished);
  EXPECT_EQ(all[0].verb, "transform_reduce");
  EXPECT_EQ(all[0].warnings, (std::vector<std::string>{"one", "two"}));
  ASSERT_EQ(all[0].recorded.events.size(), 1U);
  EXPECT_EQ(all[0].recorded.events[0].text, "signal 9 (SIGKILL)");
}

TEST_F(journal_file, shows_calls_under_way_as_far_as_they_came) {
  live_call* const one = kept.begin(sample(5));
  ASSERT_NE(one, nullptr);
  one->put(0, {1, 0, 10, 1, nanoseconds(100), nanoseconds(200), nanoseconds(10), nanoseconds(20)}, 1);
  one->put(1, {0, 10, 10, 1, nanoseconds(150), nanoseconds(300), nanoseconds(0), nanoseconds(0)}, 2);
  const auto all = kept.all();
  ASSERT_EQ(all.size(), 1U);
  const report& r = all[0];
  EXPECT_FALSE(r.finished);
  EXPECT_EQ(r.verb, "transform_reduce");
  EXPECT_EQ(r.chunks, 2U);
  EXPECT_EQ(r.wall, nanoseconds(300));
  EXPECT_EQ(r.time().sum(), r.wall * 3);
  EXPECT_EQ(r.per_worker[1].time.compute, nanoseconds(70));
  EXPECT_EQ(r.per_worker[0].slices, 10U);
  EXPECT_EQ(r.recorded.chunks.size(), 2U);
}

TEST_F(journal_file, shows_a_call_once_also_when_it_was_killed_between_its_end_and_giving_back_its_place) {
  ASSERT_NE(kept.begin(sample(5)), nullptr);
  kept.add(sample(5));
  const auto all = kept.all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].finished);
}

TEST_F(journal_file, replaces_the_chunks_of_a_live_call_at_once) {
  live_call* const one = kept.begin(sample(5));
  ASSERT_NE(one, nullptr);
  for (std::size_t i = 0; i < 10; ++i) one->put(i, {0, i, 1, 1, nanoseconds(i), nanoseconds(i + 1), {}, {}}, i + 1);
  one->replace({{0, 0, 10, 10, nanoseconds(0), nanoseconds(10), {}, {}}});
  ASSERT_EQ(kept.all().size(), 1U);
  EXPECT_EQ(kept.all()[0].recorded.chunks.size(), 1U);
  EXPECT_EQ(kept.all()[0].chunks, 10U);
  EXPECT_TRUE(kept.all()[0].recorded.thinned);
}

TEST_F(journal_file, has_places_for_some_calls_at_a_time) {
  live_call* last = nullptr;
  for (std::size_t i = 0; i < journal::most_live; ++i) {
    last = kept.begin(sample(i + 1));
    ASSERT_NE(last, nullptr);
  }
  EXPECT_EQ(kept.begin(sample(99)), nullptr);
  last->taken.store(0);
  EXPECT_EQ(kept.begin(sample(100)), last);
}

TEST_F(journal_file, counts_what_does_not_fit) {
  kept.add(sample(1));
  kept.used = journal::bytes - 128;
  kept.add(sample(2));
  EXPECT_EQ(kept.all().size(), 1U);
  EXPECT_EQ(kept.dropped.load(), 1U);
  EXPECT_EQ(kept.used, journal::bytes - 128);
}

}  // namespace
