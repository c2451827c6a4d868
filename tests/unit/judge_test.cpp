// Advice, on made-up machines: every kind of verdict, of largest cost, and of the change that would turn it.
#include "advice/judge.hpp"
#include "support/made_up_work.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace forkful::detail {
namespace {

using forkful_tests::usual_machine;
using forkful_tests::work_of;

using shape = lengths::shape;
using testing::HasSubstr;
using testing::StartsWith;

situation without_threads() {
  situation made;
  made.why_not[1] = "threads would share a global that the callable changes: take it as an argument";
  return made;
}

double seconds(std::chrono::nanoseconds time) { return 1e-9 * static_cast<double>(time.count()); }

// ---- Verdicts ---------------------------------------------------------------------------------------------------------

TEST(judge, long_slices_go_parallel_and_text_is_as_it_was) {
  const advice given = judge(work_of(1'000, 100e-6), {}, usual_machine());
  EXPECT_TRUE(given.parallel);
  EXPECT_FALSE(given.too_close);
  EXPECT_EQ(given.way, "thread");
  EXPECT_EQ(given.text(),
            "go parallel: thread_pool of 2, 2.0 x the loop; process_pool of 2 survives\n"
            "crashes for 1 % more\n"
            "  loop                  100.0 ms     95.0 ms to  105.0 ms        0 B copied\n"
            "  thread_pool of 2       50.0 ms     47.5 ms to   52.5 ms        0 B copied\n"
            "  snapshot_pool of 2     50.7 ms     48.1 ms to   53.3 ms        0 B copied\n"
            "  process_pool of 2      50.2 ms     47.6 ms to   52.7 ms        0 B copied\n"
            "break-even:   pays from 73 ns a slice; yours take 100.0 us\n"
            "largest cost: none stands out: 100 % of the time is work shared evenly\n"
            "what if:      below 73 ns a slice the loop would be faster\n");
}

TEST(judge, where_threads_cannot_go_text_says_why) {
  const advice given = judge(work_of(4, 1e-6), without_threads(), usual_machine());
  EXPECT_FALSE(given.parallel);
  EXPECT_FALSE(given.too_close);
  EXPECT_EQ(given.way, "serial");
  ASSERT_EQ(given.ways.size(), 4U);
  EXPECT_FALSE(given.ways[1].possible);
  EXPECT_EQ(given.text(),
            "don't go parallel: the loop is fastest, process_pool of 2 would take 14 x as\n"
            "long\n"
            "  loop                    4.0 us      3.8 us to    4.2 us        0 B copied\n"
            "  thread_pool          not possible: threads would share a global that the\n"
            "                       callable changes: take it as an argument\n"
            "  snapshot_pool of 2    606.0 us    509.5 us to  702.5 us        0 B copied\n"
            "  process_pool of 2      56.0 us     47.3 us to   64.7 us        0 B copied\n"
            "break-even:   pays from 36.4 us a slice; yours take 1.0 us\n"
            "largest cost: waking workers that sleep takes 52.1 us of 56.0 us\n"
            "what if:      64 times as much in one call (256 slices): process_pool of 2 would\n"
            "              be 1.3 times as fast as the loop\n");
}

TEST(judge, where_intervals_overlap_it_is_too_close_to_call) {
  const situation where = without_threads();
  const double from = seconds(judge(work_of(20, 10e-6), where, usual_machine()).break_even);
  const advice given = judge(work_of(20, from), where, usual_machine());
  EXPECT_TRUE(given.too_close);
  EXPECT_FALSE(given.parallel);
  EXPECT_THAT(given.verdict,
              StartsWith("too close to call: process_pool of 2 takes 0.99 x the loop's time; race them"));
  EXPECT_LE(given.ways[3].low, given.ways[0].high);
}

// "Too close: 0.50 x the loop's time" and "slices of 43 ns or more, instead of 261.6 us" were said about slices that vary much.
TEST(judge, where_noise_is_all_that_overlaps_it_is_uncertain_not_close) {
  situation where = without_threads();
  where.spread = 0.6;
  const advice given = judge(work_of(1'000, 260e-6), where, usual_machine());
  EXPECT_FALSE(given.parallel);
  EXPECT_TRUE(given.too_close);
  EXPECT_THAT(given.verdict,
              StartsWith("too uncertain to call: process_pool of 2 would take 0.50 x the loop's time, or "
                         "anything from "));
  EXPECT_THAT(given.flip, StartsWith("measurements that vary less"));
  EXPECT_EQ(given.flip.find("instead of"), std::string::npos) << given.flip;
}

// A value that is said to turn the verdict has to lie beyond the present one.
TEST(judge, no_flip_asks_for_less_than_there_is) {
  for (const std::size_t slices : {2UL, 10UL, 1'000UL, 100'000UL}) {
    for (const double mean : {5e-8, 1e-6, 20e-6, 1e-3}) {
      for (const double spread : {0.0, 0.2, 0.6, 0.9}) {
        situation where = without_threads();
        where.spread = spread;
        const advice given = judge(work_of(slices, mean), where, usual_machine());
        const double from = seconds(given.break_even);
        if (given.flip.find(" or more, instead of ") != std::string::npos) {
          EXPECT_GT(from, 0.8 * mean) << given.text();
        }
        if (given.flip.starts_with("below ")) {
          EXPECT_LT(from, mean) << given.text();
        }
        if (given.verdict.starts_with("too close")) {
          const double ratio = seconds(given.ways[3].time) / seconds(given.ways[0].time);
          EXPECT_NEAR(std::min(ratio, seconds(given.ways[2].time) / seconds(given.ways[0].time)), 1, 0.26)
              << given.text();
        }
      }
    }
  }
}

TEST(judge, noise_widens_the_intervals) {
  machine on = usual_machine();
  situation where;
  const advice quiet = judge(work_of(1'000, 1e-3), where, on);
  EXPECT_NEAR(seconds(quiet.ways[0].low), 0.95, 1e-6);
  EXPECT_NEAR(seconds(quiet.ways[0].high), 1.05, 1e-6);
  where.spread = 0.2;
  EXPECT_NEAR(seconds(judge(work_of(1'000, 1e-3), where, on).ways[0].low), 0.8, 1e-6);
  // Costs are as uncertain as the machine's measurements.
  const workload copied = [] {
    workload made = work_of(10, 1e-6);
    made.in.bytes = 1e6;
    return made;
  }();
  const expected_time before = judge(copied, {}, on).ways[3];
  on.spread = 0.2;
  const expected_time after = judge(copied, {}, on).ways[3];
  EXPECT_EQ(before.time, after.time);
  EXPECT_LT(after.low, before.low);
  EXPECT_GT(after.high, before.high);
}

TEST(judge, threads_that_are_much_faster_get_no_word_for_processes) {
  workload work = work_of(100, 100e-6);
  work.in.bytes = work.out.bytes = 10'000;
  const advice given = judge(work, {}, usual_machine());
  EXPECT_EQ(given.way, "thread");
  EXPECT_EQ(given.verdict.find("survives"), std::string::npos) << given.verdict;
}

TEST(judge, a_callable_that_is_parallel_already_is_left_alone) {
  workload work = work_of(100, 1e-3);
  work.inner_threads = 2;
  situation where;
  where.parallel_by = "OpenBLAS";
  const advice given = judge(work, where, usual_machine());
  EXPECT_FALSE(given.parallel);
  EXPECT_FALSE(given.too_close);
  EXPECT_TRUE(given.already_parallel);
  EXPECT_EQ(given.parallel_by, "OpenBLAS");
  EXPECT_THAT(given.verdict, StartsWith("don't go parallel: the callable is parallel already (by OpenBLAS), "));
  EXPECT_EQ(given.break_even.count(), 0);
  EXPECT_THAT(given.dominating_cost, HasSubstr("the callable is parallel already (by OpenBLAS), on 2.0 cores"));
  EXPECT_THAT(given.flip, StartsWith("nothing: the callable keeps the cores busy by itself"));
}

TEST(judge, with_no_parallel_way_the_loop_is_it) {
  situation where;
  where.why_not[1] = where.why_not[2] = where.why_not[3] = "it may not";
  const advice given = judge(work_of(1'000, 1e-3), where, usual_machine());
  EXPECT_EQ(given.verdict, "don't go parallel: no parallel way is possible");
  EXPECT_EQ(given.way, "serial");
  EXPECT_EQ(given.flip, "it may not");
  EXPECT_EQ(given.break_even.count(), 0);
}

TEST(judge, without_slices_there_is_nothing_to_do) {
  const advice given = judge(work_of(0, 1), {}, usual_machine());
  EXPECT_EQ(given.text(), "nothing to do: there are no slices\n");
}

TEST(judge, takes_no_more_workers_than_are_of_use) {
  const advice given = judge(work_of(3, 10e-3), {.workers = 16}, usual_machine(16));
  EXPECT_EQ(given.ways[3].workers, 3U);
  EXPECT_EQ(judge(work_of(1'000, 10e-3), {.workers = 5}, usual_machine(16)).ways[3].workers, 5U);
  EXPECT_EQ(judge(work_of(1'000, 10e-3), {}, usual_machine(16)).ways[3].workers, 16U);
}

// ---- Break-even -------------------------------------------------------------------------------------------------------

TEST(judge, at_the_break_even_both_take_the_same) {
  for (const std::size_t slices : {4UL, 100UL, 10'000UL}) {
    const situation where = without_threads();
    const double from = seconds(judge(work_of(slices, 1e-4), where, usual_machine()).break_even);
    ASSERT_GT(from, 2e-9);
    const advice at = judge(work_of(slices, from), where, usual_machine());
    EXPECT_NEAR(seconds(at.ways[3].time) / seconds(at.ways[0].time), 1, 0.05) << slices;
    const advice above = judge(work_of(slices, 1.2 * from), where, usual_machine());
    EXPECT_LT(above.ways[3].time, above.ways[0].time);
    const advice below = judge(work_of(slices, from / 1.2), where, usual_machine());
    EXPECT_GT(below.ways[3].time, below.ways[0].time);
  }
}

// ---- The largest cost -------------------------------------------------------------------------------------------------

TEST(judge, names_the_largest_cost) {
  const auto largest = [](const workload& work, const situation& where, const machine& on) {
    return judge(work, where, on).dominating_cost;
  };
  situation where = without_threads();
  EXPECT_THAT(largest(work_of(4, 10e-6), where, usual_machine()), StartsWith("waking workers that sleep takes "));

  where.cold = true;
  EXPECT_THAT(largest(work_of(100, 10e-6), where, usual_machine()),
              StartsWith("starting 2 workers takes 600.0 us of "));
  where.private_memory = 1e9;
  EXPECT_THAT(largest(work_of(100, 10e-6), where, usual_machine()),
              HasSubstr(": the caller has 1.0 GB of memory of its own"));
  where = without_threads();

  workload copied = work_of(100, 100e-6);
  copied.in.bytes = copied.out.bytes = 1e6;
  where.why_not[2] = "no photographs";
  EXPECT_THAT(largest(copied, where, usual_machine()), StartsWith("copying 200.0 MB takes "));
  where = without_threads();

  workload by_one = work_of(1'000'000, 1e-7);
  by_one.asked_chunk = 1;
  EXPECT_THAT(largest(by_one, where, usual_machine()), StartsWith("handing out 1000000 chunks takes "));

  EXPECT_THAT(largest(work_of(100, 1e-3, shape::giant), where, usual_machine(8)),
              StartsWith("one slice takes 50.0 ms of 50."));
  EXPECT_THAT(largest(work_of(100, 1e-3, shape::giant), where, usual_machine(8)),
              HasSubstr("nobody can help its worker, so more workers gain nothing"));
  where.workers = 2;
  EXPECT_THAT(largest(work_of(9, 10e-3), where, usual_machine()),
              StartsWith("workers wait for the last slices at the end: "));
  EXPECT_THAT(largest(work_of(3, 10e-3), where, usual_machine()),
              StartsWith("3 slices for 2 workers cannot be shared evenly: others wait 5.0 ms of "));

  workload streaming = work_of(1'000, 1e-3);
  streaming.slowdown = 1.5;
  EXPECT_THAT(largest(streaming, where, usual_machine()),
              StartsWith("workers fight for memory: slices take 1.5 times as long when 2 run at once"));

  where.workers = 8;
  workload half_asleep = work_of(1'000, 1e-3);
  half_asleep.cpu_share = 0.5;
  EXPECT_THAT(largest(half_asleep, where, usual_machine()), HasSubstr("share 2 cores: "));
  EXPECT_THAT(largest(work_of(10'000, 1e-3), {}, usual_machine()), StartsWith("none stands out: 100 % of the time"));
}

// ---- The change that would turn it -----------------------------------------------------------------------------------

// The change, applied, turns the verdict: that is what the sentence promises.
TEST(judge, cold_pools_are_to_be_kept) {
  situation where = without_threads();
  where.cold = true;
  where.private_memory = 1e9;
  const advice given = judge(work_of(100, 20e-6), where, usual_machine());
  EXPECT_FALSE(given.parallel);
  EXPECT_THAT(given.flip, StartsWith("keep the pool from call to call: process_pool of 2 would be "));
  where.cold = false;
  EXPECT_TRUE(judge(work_of(100, 20e-6), where, usual_machine()).parallel);
}

TEST(judge, copies_are_to_be_avoided) {
  situation where = without_threads();
  workload work = work_of(100, 100e-6);
  work.in.bytes = 3e6;
  where.why_not[2] = "no photographs";
  const advice given = judge(work, where, usual_machine());
  EXPECT_FALSE(given.parallel);
  EXPECT_THAT(given.flip, StartsWith("keep the slices in shared memory (forkful::shared_vector), so that nothing"));
  work.in.bytes = 0;
  EXPECT_TRUE(judge(work, where, usual_machine()).parallel);
  work.out.bytes = 3e6;
  EXPECT_THAT(judge(work, where, usual_machine()).flip, StartsWith("write results in place (map_into)"));
  work.in.bytes = 3e6;
  EXPECT_THAT(judge(work, where, usual_machine()).flip, StartsWith("keep slices and results in shared memory"));
}

TEST(judge, chunks_that_are_too_small_are_to_be_left_to_forkful) {
  workload work = work_of(100'000, 0.2e-6);
  work.asked_chunk = 1;
  const advice given = judge(work, without_threads(), usual_machine());
  EXPECT_FALSE(given.parallel);
  EXPECT_THAT(given.flip, StartsWith("let forkful choose the chunks instead of 1 slice at a time"));
  work.asked_chunk = 0;
  EXPECT_TRUE(judge(work, without_threads(), usual_machine()).parallel);
}

TEST(judge, one_long_slice_is_to_be_split) {
  const workload work = [] {
    workload made;
    made.slices = 100;
    made.time = lengths::sampled(100, {0, 25, 50, 75}, {10e-3, 1e-6, 1e-6, 1e-6});
    return made;
  }();
  const advice given = judge(work, without_threads(), usual_machine());
  EXPECT_FALSE(given.parallel);
  EXPECT_THAT(given.flip, StartsWith("split the longest slice, which takes 10.0 ms: process_pool of 2 would be "));
}

TEST(judge, too_few_workers_are_to_be_more) {
  situation where = without_threads();
  where.workers = 1;
  const advice given = judge(work_of(100, 1e-3), where, usual_machine());
  EXPECT_FALSE(given.parallel);
  EXPECT_THAT(given.flip, StartsWith("use more workers: process_pool of 2 would be 2.0 times as fast"));
}

TEST(judge, short_calls_are_to_be_taken_together) {
  const advice given = judge(work_of(4, 1e-6), without_threads(), usual_machine());
  EXPECT_THAT(given.flip, StartsWith("64 times as much in one call (256 slices)"));
  EXPECT_TRUE(judge(work_of(256, 1e-6), without_threads(), usual_machine()).parallel);
  EXPECT_FALSE(judge(work_of(128, 1e-6), without_threads(), usual_machine()).parallel);
}

TEST(judge, what_pays_says_when_it_would_not) {
  const advice given = judge(work_of(1'000, 10e-6), without_threads(), usual_machine());
  EXPECT_TRUE(given.parallel);
  EXPECT_THAT(given.flip, HasSubstr("the loop would be faster"));

  // Once started, 2 x 13 ms: too much for 20 ms of work, if it is spent for every call.
  situation large;
  large.private_memory = 1e9;
  large.why_not[1] = "no threads";
  large.why_not[2] = "no photographs";
  const advice warm = judge(work_of(1'000, 20e-6), large, usual_machine());
  EXPECT_TRUE(warm.parallel);
  EXPECT_EQ(warm.flip, "a pool that is started for every call would be slower than the loop: keep it");
}

TEST(judge, on_one_core_nothing_computes_faster) {
  const advice given = judge(work_of(1'000, 1e-3), without_threads(), usual_machine(1));
  EXPECT_FALSE(given.parallel);
  EXPECT_THAT(given.flip, StartsWith("nothing on one core"));
  workload asleep = work_of(100, 1e-3);
  asleep.cpu_share = 0;
  situation where = without_threads();
  where.workers = 8;
  EXPECT_TRUE(judge(asleep, where, usual_machine(1)).parallel);
}

// ---- Forms ------------------------------------------------------------------------------------------------------------

TEST(judge, says_the_same_every_time_in_lines_of_eighty_columns) {
  for (const std::size_t slices : {1UL, 10UL, 100'000UL}) {
    for (const double mean : {1e-8, 1e-5, 1e-2}) {
      workload work = work_of(slices, mean, shape::exponential);
      work.in.bytes = 1e4;
      const std::string text = judge(work, without_threads(), usual_machine()).text();
      EXPECT_EQ(text, judge(work, without_threads(), usual_machine()).text());
      EXPECT_EQ(text.back(), '\n');
      std::size_t begin = 0;
      for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
        EXPECT_LE(end - begin, 80U) << text;
      }
    }
  }
}

TEST(judge, json_holds_every_member) {
  situation where = without_threads();
  where.why_not[1] = "a \"quoted\" reason";
  const advice given = judge(work_of(1'000, 100e-6), where, usual_machine());
  const auto read = nlohmann::json::parse(given.json());
  EXPECT_EQ(read.at("verdict"), given.verdict);
  EXPECT_EQ(read.at("way"), "process");
  EXPECT_EQ(read.at("parallel"), true);
  EXPECT_EQ(read.at("too_close"), false);
  EXPECT_EQ(read.at("slices"), 1'000);
  EXPECT_EQ(read.at("slice_ns"), 100'000);
  EXPECT_EQ(read.at("break_even_ns"), given.break_even.count());
  EXPECT_EQ(read.at("dominating_cost"), given.dominating_cost);
  EXPECT_EQ(read.at("flip"), given.flip);
  EXPECT_EQ(read.at("already_parallel"), false);
  EXPECT_EQ(read.at("parallel_by"), "");
  ASSERT_EQ(read.at("ways").size(), 4U);
  EXPECT_EQ(read.at("ways")[1].at("why_not"), "a \"quoted\" reason");
  EXPECT_EQ(read.at("ways")[1].at("possible"), false);
  EXPECT_EQ(read.at("ways")[3].at("way"), "process");
  EXPECT_EQ(read.at("ways")[3].at("workers"), 2);
  EXPECT_EQ(read.at("ways")[3].at("time_ns"), given.ways[3].time.count());
  EXPECT_EQ(read.at("ways")[3].at("low_ns"), given.ways[3].low.count());
  EXPECT_EQ(read.at("ways")[3].at("high_ns"), given.ways[3].high.count());
  EXPECT_EQ(read.at("ways")[3].at("bytes_copied"), 0);
}

}  // namespace
}  // namespace forkful::detail
