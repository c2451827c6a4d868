// Calls added up: every figure by hand, time that overlaps once, and timelines on one axis, however many there are.
#include "measure/totals.hpp"
#include "report/document.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/made_up_reports.hpp"

namespace {

using namespace forkful;
using detail::coverage;
using detail::totals;
using detail::untangled;
using std::chrono::nanoseconds;
using kind = timeline_step::kind;

nanoseconds ns(long count) { return nanoseconds(count); }

// A call of `workers` workers, each of which computed for `compute`, and of a caller that spent 10 ns passing in.
report call_of(std::uint64_t number, long began, long wall, long compute, unsigned workers = 2) {
  report one;
  one.way = "process";
  one.verb = "map";
  one.pool = 4;
  one.call = number;
  one.began = ns(began);
  one.wall = ns(wall);
  one.workers = workers;
  one.slices = 10;
  one.chunks = 2 * workers;
  one.caller.pass_in = ns(10);
  one.caller.idle = ns(wall - 10);
  for (unsigned worker = 0; worker < workers; ++worker) {
    worker_row row;
    row.worker = worker;
    row.slices = 5;
    row.chunks = 2;
    row.time.wake = ns(7);
    row.time.compute = ns(compute);
    row.time.idle = ns(wall - 7 - compute);
    one.per_worker.push_back(row);
  }
  return one;
}

report total_of(const std::vector<report>& calls) {
  totals all;
  for (const report& one : calls) all.add(one);
  return all.so_far();
}

void expect_to_add_up(const report& all) {
  EXPECT_EQ(all.caller.sum(), all.wall);
  for (const worker_row& row : all.per_worker) EXPECT_EQ(row.time.sum(), all.wall) << row.worker;
}

TEST(coverage_of_calls, counts_what_overlaps_once) {
  coverage all;
  EXPECT_TRUE(all.add(ns(0), ns(10)));
  EXPECT_TRUE(all.add(ns(20), ns(30)));
  EXPECT_EQ(all.covered(), ns(20));
  EXPECT_FALSE(all.add(ns(25), ns(40))) << "it began while another was under way";
  EXPECT_EQ(all.covered(), ns(30));
  EXPECT_FALSE(all.add(ns(5), ns(50))) << "over all of the second and half of the first";
  EXPECT_EQ(all.covered(), ns(50));
  EXPECT_TRUE(all.add(ns(50), ns(51)));
  EXPECT_EQ(all.covered(), ns(51));
}

TEST(coverage_of_calls, knows_a_long_call_over_more_short_ones_than_it_keeps) {
  coverage all;
  for (long at = 0; at < 1000; ++at) all.add(ns(100 + 10 * at), ns(105 + 10 * at));
  EXPECT_EQ(all.covered(), ns(5000));
  all.add(ns(0), ns(20'000));
  EXPECT_EQ(all.covered(), ns(20'000));
}

TEST(coverage_of_calls, takes_old_pieces_as_evenly_covered) {
  coverage all;
  for (long at = 0; at < 1000; ++at) all.add(ns(10 * at), ns(10 * at + 5));
  all.add(ns(5000), ns(20'000));  // half of the first half was covered
  EXPECT_NEAR(static_cast<double>(all.covered().count()), 2500 + 15'000, 10);
}

TEST(untangled_steps, leave_steps_that_follow_one_another_alone) {
  const std::vector<timeline_step> steps{
      {kind::pass_in, ns(0), ns(5)}, {kind::idle, ns(5), ns(9)}, {kind::idle, ns(12), ns(20)}};
  const auto same = untangled(steps);
  ASSERT_EQ(same.size(), 3U);
  EXPECT_EQ(same[1].end, ns(9));
  EXPECT_EQ(same[2].begin, ns(12));
}

TEST(untangled_steps, show_what_the_caller_did_before_what_it_waited_for) {
  // The first call waits while the second one is passed in and taken back.
  const auto steps = untangled({{kind::pass_in, ns(0), ns(10)},
                                {kind::idle, ns(10), ns(100)},
                                {kind::pass_in, ns(20), ns(30)},
                                {kind::idle, ns(30), ns(120)},
                                {kind::reassemble, ns(95), ns(110)}});
  const std::vector<std::pair<long, long>> expected{{0, 10}, {10, 20}, {20, 30}, {30, 95}, {95, 110}, {110, 120}};
  ASSERT_EQ(steps.size(), expected.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(steps[i].begin, ns(expected[i].first)) << i;
    EXPECT_EQ(steps[i].end, ns(expected[i].second)) << i;
  }
  EXPECT_EQ(steps[3].what, kind::idle);
  EXPECT_EQ(steps[4].what, kind::reassemble);
}

TEST(totals_of_a_pool, are_empty_before_the_first_call) {
  const report none = totals().so_far();
  EXPECT_EQ(none.calls, 0U);
  EXPECT_EQ(none.slices, 0U);
  EXPECT_EQ(none.wall, ns(0));
  EXPECT_FALSE(none.has_timeline);
}

TEST(totals_of_a_pool, sum_what_happened_in_calls_one_after_another) {
  report first = call_of(7, 1000, 100, 60);
  report second = call_of(9, 1200, 200, 80);
  first.bytes_in = second.bytes_out = 3;
  first.bytes_broadcast = second.bytes_shared = 2;
  first.page_faults = second.page_faults = 5;
  first.deaths = first.retries = second.retries = 1;
  first.bytes_copied_on_write = 4096;
  first.threads_at_fork = 3;
  first.peak_memory = 900;
  second.peak_memory = 800;
  second.arena_bytes = 64;
  const report all = total_of({first, second});
  EXPECT_EQ(all.calls, 2U);
  EXPECT_EQ(all.way, "process");
  EXPECT_EQ(all.verb, "map");
  EXPECT_EQ(all.pool, 4U);
  EXPECT_EQ(all.call, 9U) << "the last one";
  EXPECT_EQ(all.began, ns(1000));
  EXPECT_EQ(all.wall, ns(300));
  EXPECT_EQ(all.slices, 20U);
  EXPECT_EQ(all.chunks, 8U);
  EXPECT_EQ(all.workers, 2U);
  EXPECT_EQ(all.caller.pass_in, ns(20));
  EXPECT_EQ(all.caller.idle, ns(280));
  ASSERT_EQ(all.per_worker.size(), 2U);
  EXPECT_EQ(all.per_worker[1].worker, 1U);
  EXPECT_EQ(all.per_worker[1].slices, 10U);
  EXPECT_EQ(all.per_worker[1].chunks, 4U);
  EXPECT_EQ(all.per_worker[1].time.wake, ns(14));
  EXPECT_EQ(all.per_worker[1].time.compute, ns(140));
  EXPECT_EQ(all.bytes_in, 3U);
  EXPECT_EQ(all.bytes_broadcast, 2U);
  EXPECT_EQ(all.bytes_out, 3U);
  EXPECT_EQ(all.bytes_shared, 2U);
  EXPECT_EQ(all.bytes_copied_on_write, 4096U);
  EXPECT_EQ(all.page_faults, 10U);
  EXPECT_EQ(all.peak_memory, 900U) << "the most";
  EXPECT_EQ(all.arena_bytes, 64U) << "after the last one";
  EXPECT_EQ(all.deaths, 1U);
  EXPECT_EQ(all.retries, 2U);
  EXPECT_EQ(all.threads_at_fork, 3U);
  EXPECT_TRUE(all.finished);
  expect_to_add_up(all);
}

TEST(totals_of_a_pool, do_not_take_a_wait_for_other_calls_for_lost_time) {
  // A hundred calls submitted at once, which two workers took in turn: they computed all the time.
  std::vector<report> calls;
  for (long at = 1; at <= 100; ++at) {
    report one = call_of(static_cast<std::uint64_t>(at), 0, 1000 * at, 0);
    one.per_worker[0].time = {.compute = ns(1000), .idle = ns(1000 * (at - 1))};
    one.per_worker[1].time = {.wake = ns(1000 * (at - 1)), .compute = ns(1000)};
    calls.push_back(one);
  }
  const report all = total_of(calls);
  EXPECT_EQ(all.wall, ns(100'000));
  EXPECT_EQ(all.per_worker[0].time.compute, ns(100'000));
  EXPECT_EQ(all.per_worker[1].time.compute, ns(100'000));
  EXPECT_EQ(all.per_worker[1].time.wake, ns(0));
  expect_to_add_up(all);
}

TEST(totals_of_a_pool, shorten_what_several_threads_did_at_the_same_time_to_the_wall) {
  std::vector<report> calls{call_of(1, 0, 100, 80, 1), call_of(2, 0, 100, 80, 1)};
  calls[0].caller = {.pass_in = ns(60), .idle = ns(40)};
  calls[1].caller = {.idle = ns(0), .reassemble = ns(100)};
  const report all = total_of(calls);
  EXPECT_EQ(all.wall, ns(100));
  EXPECT_NEAR(static_cast<double>(all.caller.pass_in.count()), 37.5, 1);
  EXPECT_NEAR(static_cast<double>(all.caller.reassemble.count()), 62.5, 1);
  EXPECT_NEAR(static_cast<double>(all.per_worker[0].time.compute.count()), 96, 2);
  expect_to_add_up(all);
}

TEST(totals_of_a_pool, have_a_row_for_every_worker_that_any_call_had) {
  const report all = total_of({call_of(1, 0, 100, 50, 1), call_of(2, 100, 100, 50, 3), call_of(3, 200, 100, 50, 2)});
  EXPECT_EQ(all.workers, 3U);
  ASSERT_EQ(all.per_worker.size(), 3U);
  EXPECT_EQ(all.per_worker[0].time.compute, ns(150));
  EXPECT_EQ(all.per_worker[2].time.compute, ns(50));
  EXPECT_EQ(all.per_worker[2].worker, 2U);
  expect_to_add_up(all);
}

TEST(totals_of_a_pool, name_the_slowest_of_all_calls_and_the_call) {
  std::vector<report> calls;
  for (std::uint64_t number = 1; number <= 4; ++number) {
    calls.push_back(call_of(number, static_cast<long>(100 * number), 100, 50));
    for (long at = 0; at < 3; ++at) {
      calls.back().slowest.push_back({static_cast<std::size_t>(at), 1, 0, ns(static_cast<long>(10 * number) - at)});
    }
  }
  const report all = total_of(calls);
  ASSERT_EQ(all.slowest.size(), 5U);
  EXPECT_EQ(all.slowest[0].time, ns(40));
  EXPECT_EQ(all.slowest[0].call, 4U);
  EXPECT_EQ(all.slowest[3].time, ns(30));
  EXPECT_EQ(all.slowest[3].call, 3U);
  EXPECT_EQ(all.slowest[4].first, 1U);
}

TEST(totals_of_a_pool, say_each_warning_once_and_name_every_verb_the_most_frequent_first) {
  std::vector<report> calls{call_of(1, 0, 100, 50), call_of(2, 100, 100, 50), call_of(3, 200, 100, 50)};
  calls[0].verb = "for_each";
  for (report& one : calls) one.warnings = {"the fork was slow"};
  calls[2].warnings.emplace_back("and so was the kitchen");
  const report all = total_of(calls);
  EXPECT_EQ(all.warnings, (std::vector<std::string>{"the fork was slow", "and so was the kitchen"}));
  EXPECT_EQ(all.verb, "map, for_each");
}

TEST(totals_of_a_pool, sum_waits_and_keep_what_is_about_the_workers) {
  std::vector<report> calls{call_of(1, 0, 100, 50), call_of(2, 100, 100, 50), call_of(3, 200, 100, 50)};
  calls[0].queued = calls[2].queued = ns(30);
  calls[1].away = ns(40);
  calls[1].beside_others = true;
  calls[0].per_worker[0].off_core = calls[1].per_worker[0].off_core = ns(20);
  calls[0].per_worker[0].peak_private = 7;
  calls[1].per_worker[0].peak_private = 9;
  calls[0].slowest = {{3, 1, 0, ns(40), ns(15)}};
  for (report& one : calls) one.per_worker[1].missing = true;
  const report all = total_of(calls);
  EXPECT_EQ(all.queued, ns(60));
  EXPECT_EQ(all.away, ns(40));
  EXPECT_TRUE(all.beside_others);
  EXPECT_EQ(all.per_worker[0].off_core, ns(40));
  EXPECT_EQ(all.per_worker[0].peak_private, 9U);
  EXPECT_EQ(all.slowest[0].off_core, ns(15));
  EXPECT_FALSE(all.per_worker[0].missing);
  EXPECT_TRUE(all.per_worker[1].missing);
  calls[2].per_worker[1].missing = false;
  EXPECT_FALSE(total_of(calls).per_worker[1].missing) << "one call had it";
  EXPECT_FALSE(total_of({calls[0], calls[2]}).beside_others);
}

TEST(totals_of_a_pool, do_not_take_a_wait_for_another_future_for_being_away) {
  // Three were submitted one behind the other and asked for in that order; the caller did something else for 100 ns before.
  std::vector<report> calls{call_of(1, 0, 400, 90), call_of(2, 10, 490, 90), call_of(3, 20, 580, 90)};
  for (std::size_t at = 0; at < calls.size(); ++at) {
    calls[at].caller = {.pass_in = ns(10), .idle = calls[at].wall - ns(10)};
  }
  calls[0].away = ns(120);  // until 130
  calls[1].away = ns(380);  // until 400
  calls[2].away = ns(470);  // until 500
  const report all = total_of(calls);
  EXPECT_EQ(all.wall, ns(600));
  EXPECT_EQ(all.away, ns(100)) << "from 30, when all were handed out, to 130";
  EXPECT_EQ(total_of({all, all}).calls, 6U);
}

TEST(totals_of_a_pool, begin_anew_when_reset) {
  totals all;
  all.add(call_of(1, 0, 100, 50));
  all.reset();
  EXPECT_EQ(all.so_far().calls, 0U);
  all.add(call_of(2, 500, 100, 50, 1));
  const report after = all.so_far();
  EXPECT_EQ(after.calls, 1U);
  EXPECT_EQ(after.began, ns(500));
  EXPECT_EQ(after.wall, ns(100));
  EXPECT_EQ(after.per_worker.size(), 1U);
}

TEST(totals_of_a_pool, draw_all_calls_on_one_axis_of_time) {
  // The later call ends first, and what began before the first one added is on the axis too.
  report early = made_up::ordinary(4, 2);
  report late = made_up::ordinary(6, 2);
  late.call = 8;
  late.began = early.began + early.wall / 2;
  const report all = total_of({late, early});
  EXPECT_EQ(all.began, early.began);
  ASSERT_EQ(all.recorded.chunks.size(), 10U);
  std::size_t of_late = 0;
  nanoseconds first = nanoseconds::max();
  for (std::size_t i = 0; i < all.recorded.chunks.size(); ++i) {
    const timeline_chunk& chunk = all.recorded.chunks[i];
    EXPECT_LE(all.recorded.chunks[i == 0 ? 0 : i - 1].worker, chunk.worker);
    if (chunk.call == 8) {
      ++of_late;
      first = std::min(first, chunk.begin);
    }
  }
  EXPECT_EQ(of_late, 6U);
  EXPECT_EQ(first, late.recorded.chunks.front().begin + early.wall / 2);
  EXPECT_EQ(all.recorded.events.size(), 4U);
  EXPECT_EQ(all.recorded.events.back().call, 8U);
  for (std::size_t i = 1; i < all.recorded.caller.size(); ++i) {
    EXPECT_GE(all.recorded.caller[i].begin, all.recorded.caller[i - 1].end) << "steps do not overlap";
  }
}

TEST(totals_of_a_pool, keep_a_bounded_timeline_of_calls_without_number) {
  totals all;
  report one = made_up::ordinary(10, 2);
  constexpr std::size_t count = 20'000;
  const nanoseconds gap = 3 * one.wall;
  for (std::size_t at = 0; at < count; ++at) {
    one.call = at + 1;
    all.add(one);
    one.began += one.wall + gap;
  }
  const report sum = all.so_far();
  EXPECT_EQ(sum.calls, count);
  EXPECT_EQ(sum.wall, one.wall * static_cast<long>(count));
  EXPECT_TRUE(sum.recorded.thinned);
  EXPECT_LE(sum.recorded.chunks.size(), detail::recorder::most);
  EXPECT_LE(sum.recorded.caller.size(), 2 * detail::recorder::most);
  EXPECT_EQ(sum.recorded.events.size(), detail::recorder::most_events);
  std::size_t slices = 0;
  nanoseconds computed{0};
  for (const timeline_chunk& chunk : sum.recorded.chunks) {
    slices += chunk.count;
    computed += chunk.end - chunk.begin - chunk.idle - chunk.pass_in - chunk.pass_out;
  }
  EXPECT_EQ(slices, sum.slices);
  EXPECT_EQ(computed, sum.per_worker[0].time.compute + sum.per_worker[1].time.compute)
      << "time between chunks that are drawn as one is not taken for computing";
}

TEST(totals_of_a_pool, are_a_copy_in_a_forked_child) {
  totals all;
  all.add(call_of(1, 0, 100, 50));
  const pid_t child = fork();
  if (child == 0) {
    all.add(call_of(2, 100, 100, 50));
    _exit(all.so_far().calls == 2 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(all.so_far().calls, 1U);
}

TEST(a_lock_held_at_a_fork, does_not_hang_the_child_and_tells_it) {
  detail::inherited_lock one;
  ASSERT_TRUE(one.lock());
  const pid_t child = fork();
  if (child == 0) {
    const bool believed = one.lock();
    one.unlock();
    const bool again = one.lock();
    _exit(!believed && again ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  one.unlock();
}

TEST(totals_of_a_program, are_one_for_each_pool_with_what_to_do_next) {
  std::vector<report> calls{call_of(1, 0, 100, 50), call_of(2, 100, 100, 50), call_of(3, 200, 100, 50)};
  calls[1].pool = 2;
  const std::vector<report> all = detail::totals_of(calls, 8);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].pool, 2U);
  EXPECT_EQ(all[0].calls, 1U);
  EXPECT_EQ(all[1].pool, 4U);
  EXPECT_EQ(all[1].calls, 2U);
  EXPECT_FALSE(all[1].advice.empty());
}

// How a call is cut does not depend on how many calls there are.
TEST(advice_on_totals, is_about_the_slices_of_one_call) {
  report one = call_of(1, 0, 4'000'000, 600'000, 4);
  one.slices = one.chunks = 160;  // of 15 us, one by one: workers wait
  for (worker_row& row : one.per_worker) row.slices = row.chunks = 40;
  std::vector<report> calls(100, one);
  for (std::size_t at = 0; at < calls.size(); ++at) calls[at].began = ns(static_cast<long>(at) * 4'000'000);
  EXPECT_EQ(detail::totals_of(calls, 8).front().advice, detail::totals_of({calls.data(), 1}, 8).front().advice);
  EXPECT_EQ(detail::totals_of(calls, 8).front().advice,
            "hand out larger chunks: pool.with({.chunk = 10}); or use a serial_pool");

  for (report& each : calls) {
    each.slices = each.chunks = 2;  // for four workers
    for (worker_row& row : each.per_worker) row.slices = row.chunks = row.worker < 2 ? 1 : 0;
    each.per_worker[0].time = {.compute = ns(4'000'000)};
    each.per_worker[1].time = {.compute = ns(4'000'000)};
    each.per_worker[2].time = each.per_worker[3].time = {.idle = ns(4'000'000)};
  }
  EXPECT_EQ(detail::totals_of(calls, 8).front().advice, "cut the work in more slices than there are workers");
}

TEST(totals_as_text, say_how_many_calls_and_of_which_the_slowest_slice_is) {
  std::vector<report> calls{call_of(12, 0, 100, 50), call_of(13, 100, 100, 50)};
  calls[1].slowest = {{17, 1, 0, ns(40)}};
  const std::string text = total_of(calls).text();
  EXPECT_EQ(text.substr(0, text.find('\n')), "2 calls of map: 20 slices in 8 chunks by 2 workers (process), 200 ns");
  EXPECT_NE(text.find("slowest: slice 17 of call 13, 40 ns\n"), std::string::npos) << text;
}

}  // namespace
