// What is said about a call, on made-up reports: each sentence where its figures are, and silence elsewhere.
#include "report/remarks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace {

using namespace forkful;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// Workers that computed for so long of a wall of 10 ms, and waited otherwise.
report sample(std::initializer_list<nanoseconds> computed) {
  report r;
  r.way = "process";
  r.verb = "map";
  r.slices = 1000;
  r.chunks = 200;
  r.wall = milliseconds(10);
  r.caller.idle = r.wall;
  for (const nanoseconds one : computed) {
    worker_row row;
    row.worker = r.workers++;
    row.time.compute = one;
    row.time.idle = r.wall - one;
    r.per_worker.push_back(row);
  }
  return r;
}

// Takes it from waiting.
void spend(worker_row& row, nanoseconds time_split::* part, nanoseconds time) {
  row.time.*part += time;
  row.time.idle -= time;
}

std::string said(report r, unsigned cpus = 8) {
  // All slices ran, if the sample says nothing else.
  std::size_t ran = 0;
  for (const worker_row& row : r.per_worker) ran += row.slices;
  if (ran == 0 && !r.per_worker.empty()) r.per_worker[0].slices = r.slices;
  detail::advise_on(r, cpus);
  std::string all;
  for (const std::string& one : r.warnings) all += one + "\n";
  return all + "next: " + r.advice;
}

TEST(advice, is_silent_where_nothing_is_to_be_mended) {
  EXPECT_EQ(said(sample({milliseconds(10), microseconds(9400)})),
            "next: nothing to mend: 2 workers computed 97 % of the time");
}

TEST(advice, does_not_praise_what_it_cannot_explain) {
  EXPECT_EQ(said(sample({microseconds(7600), microseconds(7600)})),
            "next: nothing stands out: 2 workers computed 76 % of the time");
}

TEST(advice, suggests_larger_chunks_where_slices_are_short) {
  report r = sample({milliseconds(6), milliseconds(6)});
  r.slices = 30'000;
  r.chunks = 30'000;
  EXPECT_EQ(
      said(r),
      "workers waited 40 % of the time: slices take 400 ns and 1 at a time were handed out; hand out larger chunks\n"
      "next: hand out larger chunks: pool.with({.chunk = 500})");
}

TEST(advice, does_not_suggest_chunks_that_would_leave_workers_without_any) {
  report r = sample({milliseconds(6), milliseconds(6)});
  r.slices = r.chunks = 10;
  r.slowest = {{0, 1, 0, milliseconds(2)}};
  EXPECT_EQ(said(r), "next: nothing stands out: 2 workers computed 60 % of the time");
}

TEST(advice, names_the_one_slice_that_others_waited_for) {
  report r = sample({milliseconds(10), milliseconds(2)});
  r.slowest = {{7, 1, 0, milliseconds(9)}};
  EXPECT_EQ(said(r),
            "slice 7 alone took 9.0 ms, 90 % of what its worker computed, while others waited; cut it smaller, or put "
            "it first\n"
            "next: cut slice 7 smaller, or put it first");
}

TEST(advice, suggests_smaller_chunks_where_slices_differ) {
  report r = sample({milliseconds(10), milliseconds(4)});
  r.chunks = 4;
  r.slowest = {{7, 1, 0, milliseconds(1)}};
  EXPECT_EQ(
      said(r),
      "one worker computed 1.4 times the mean while others waited: slices differ in length; hand out smaller chunks\n"
      "next: hand out smaller chunks: pool.with({.chunk = 14})");
}

TEST(advice, sees_that_there_is_not_enough_for_every_worker) {
  report r = sample({milliseconds(9), milliseconds(9), {}, {}});
  r.slices = r.chunks = 2;
  EXPECT_EQ(said(r),
            "2 chunks for 4 workers: the others waited; cut the work in more slices\n"
            "next: cut the work in more slices than there are workers");
  r.slices = 100;
  EXPECT_EQ(said(r),
            "2 chunks for 4 workers: the others waited; hand out smaller chunks\n"
            "next: hand out smaller chunks, so that every worker gets some");
}

TEST(advice, says_when_a_loop_would_have_been_as_fast) {
  report r = sample({milliseconds(2), milliseconds(2)});
  r.chunks = 2;
  EXPECT_EQ(said(r),
            "it took 10.0 ms, and a loop would have taken about 4.0 ms: handing out cost more than it saved\n"
            "next: use a serial_pool here, or give the slices more to do");
}

TEST(advice, finds_that_copying_took_longer_than_computing) {
  report r = sample({milliseconds(1), milliseconds(1)});
  r.bytes_in = 5'000'000;
  r.bytes_out = 1000;
  spend(r.per_worker[0], &time_split::pass_in, milliseconds(4));
  r.caller.idle -= milliseconds(6);
  r.caller.pass_in = milliseconds(6);
  const std::string all = said(r);
  EXPECT_NE(
      all.find("copying took longer than computing (10.0 ms and 2.0 ms): 5.0 MB went in, 1.0 KB came out; keep the "
               "slices in a forkful::shared_vector, or take a std::span or std::string_view\n"),
      std::string::npos)
      << all;
  EXPECT_NE(all.find("next: keep the slices in shared memory"), std::string::npos) << all;
  EXPECT_EQ(all.find("larger chunks"), std::string::npos) << "that would not help: " << all;
  std::swap(r.bytes_in, r.bytes_out);
  EXPECT_NE(said(r).find("map_into"), std::string::npos) << said(r);
}

TEST(advice, hints_at_spans_for_large_broadcast_arguments) {
  report r = sample({milliseconds(10), milliseconds(10)});
  r.bytes_in = r.bytes_broadcast = 1'000'000;
  EXPECT_EQ(said(r), "next: nothing to mend: 2 workers computed 100 % of the time");
  r.bytes_in = r.bytes_broadcast = 1'000'001;
  EXPECT_EQ(said(r),
            "broadcast arguments of 1.0 MB were encoded, and decoded by every worker: take a span of a "
            "forkful::shared_vector, which is read in place\n"
            "next: pass the large argument as a span of a forkful::shared_vector");
}

TEST(advice, says_that_starting_took_too_long) {
  report r = sample({milliseconds(6), milliseconds(6)});
  r.way = "snapshot";
  for (worker_row& row : r.per_worker) spend(row, &time_split::start, milliseconds(4));
  EXPECT_EQ(said(r),
            "starting workers took 40 % of their time (4.0 ms each): a process_pool keeps them from call to call\n"
            "next: use a process_pool, whose workers stay, or give one call more to do");
}

TEST(advice, counts_what_was_copied_on_write_against_the_work) {
  report r = sample({milliseconds(10), milliseconds(10)});
  r.bytes_copied_on_write = 40'960'000;
  EXPECT_EQ(
      said(r),
      "workers wrote to 41.0 MB of memory of their own, new or copied from the caller's because they wrote to it, "
      "which "
      "took about 50 % of their computing: return results, or write to a forkful::shared_vector\n"
      "next: write to a forkful::shared_vector instead of the caller's own memory, and use memory again instead of "
      "asking for new");
  r.bytes_copied_on_write = 1'000'000;
  EXPECT_EQ(said(r), "next: nothing to mend: 2 workers computed 100 % of the time");
}

TEST(advice, tells_of_deaths) {
  report r = sample({milliseconds(9), milliseconds(9)});
  r.deaths = 2;
  r.retries = 1;
  EXPECT_EQ(said(r),
            "2 workers died, and 1 chunk was handed out again\n"
            "next: find out why workers died: try_map names the slices");
}

TEST(advice, keeps_what_was_said_before) {
  report r = sample({milliseconds(9), milliseconds(9)});
  r.warnings = {"said before"};
  EXPECT_EQ(said(r), "said before\nnext: nothing to mend: 2 workers computed 90 % of the time");
}

TEST(advice, sends_a_loop_that_is_worth_sharing_to_a_pool) {
  report r = sample({milliseconds(10)});
  r.way = "serial";
  EXPECT_EQ(said(r), "next: try a process_pool: slices take 10.0 us, so there is something to share");
  r.slices = 1;
  EXPECT_EQ(said(r), "next: nothing to mend: too little work to share");
}

TEST(advice, judges_no_call_that_was_not_finished) {
  report r = sample({milliseconds(1), milliseconds(1)});
  r.finished = false;
  EXPECT_EQ(said(r), "next: the program ended in the middle of this call");
}

TEST(advice, has_nothing_to_say_of_nothing) {
  report r = sample({nanoseconds(0)});
  r.slices = r.chunks = 0;
  r.wall = nanoseconds(0);
  EXPECT_EQ(said(r), "next: nothing to mend: there was nothing to run");
}

}  // namespace
