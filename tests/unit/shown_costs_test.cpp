// What calls show of a machine's costs, from made-up reports; and once from real calls.
#include "measure/shown_costs.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <forkful/process_pool.hpp>

namespace {

using namespace forkful::detail;
using namespace std::chrono_literals;
using forkful::report;

report short_call(std::chrono::nanoseconds beyond_its_work) {
  report one;
  one.way = "process";
  one.slices = one.chunks = 1;
  one.wall = 5us + beyond_its_work;
  one.queued = 30us;
  one.per_worker.resize(2);
  one.per_worker[1].chunks = 1;
  one.per_worker[1].time.compute = 5us;
  return one;
}

void see(shown_costs& by, const report& one, std::chrono::nanoseconds idle = 0ns, int times = 8) {
  for (int i = 0; i != times; ++i) by.saw(one, idle);
}

TEST(shown_costs, eight_calls_in_a_row_show_a_figure_and_the_slowest_of_them_counts) {
  shown_costs by;
  see(by, short_call(1us), 0ns, 7);
  EXPECT_EQ(by.so_far().processes.call, 0) << "seven say nothing";
  by.saw(short_call(2us), 0ns);
  EXPECT_DOUBLE_EQ(by.so_far().processes.call, 2e-6);
  see(by, short_call(100us));
  EXPECT_DOUBLE_EQ(by.so_far().processes.call, 2e-6) << "worse ones change nothing";
  see(by, short_call(1us));
  EXPECT_DOUBLE_EQ(by.so_far().processes.call, 1e-6);
  EXPECT_EQ(by.so_far().threads.call, 0);
}

TEST(shown_costs, waking_is_seen_after_a_pause_only) {
  shown_costs by;
  see(by, short_call(40us), 20us);
  EXPECT_EQ(by.so_far().processes.wake, 0) << "they may not have slept";
  see(by, short_call(40us), 2ms);
  EXPECT_DOUBLE_EQ(by.so_far().processes.wake, 30e-6);
}

TEST(shown_costs, handing_out_is_seen_in_calls_of_many_chunks) {
  shown_costs by;
  report one = short_call(1us);
  one.slices = one.chunks = 100;
  one.caller.pass_in = 20us;
  one.caller.wake = 10us;
  one.caller.reassemble = 10us;
  see(by, one);
  EXPECT_DOUBLE_EQ(by.so_far().processes.hand_out, 0.4e-6);
  one.way = "thread";
  one.bytes_in = 1;
  see(by, one);
  EXPECT_EQ(by.so_far().threads.hand_out, 0) << "what is copied is no cost of handing out";
}

TEST(shown_costs, copies_are_seen_where_they_are_all_that_is_done) {
  shown_costs by;
  report one = short_call(1s);
  one.slices = 100;
  one.bytes_in = one.bytes_out = 100'000'000;
  one.caller.pass_in = 10ms;
  one.caller.reassemble = 50ms;
  see(by, one);
  EXPECT_DOUBLE_EQ(by.so_far().copy_rate, 1e10);
  EXPECT_DOUBLE_EQ(by.so_far().fresh_copy_rate, 2e9);
  one.slices = 1'000'000;
  one.caller.pass_in = 1ms;
  see(by, one);
  EXPECT_DOUBLE_EQ(by.so_far().copy_rate, 1e10) << "small slices are not copied as blocks";
}

TEST(shown_costs, calls_with_which_something_was_mixed_show_nothing) {
  shown_costs by;
  const auto changed = [&](auto change) {
    report one = short_call(1us);
    change(one);
    see(by, one);
    EXPECT_EQ(by.so_far().processes.call, 0);
  };
  changed([](report& one) { one.beside_others = true; });
  changed([](report& one) { one.deaths = 1; });
  changed([](report& one) { one.away = 1ns; });
  changed([](report& one) { one.has_timeline = true; });
  changed([](report& one) { one.caller.start = 1ns; });
  changed([](report& one) { one.way = "snapshot"; });
}

TEST(shown_costs, real_calls_show_what_a_call_costs) {
  forkful::process_pool pool({.workers = 1, .start = forkful::start_method::fork});
  for (int i = 0; i != 20; ++i) pool.for_each(forkful::indices(1), [](std::size_t) {});
  const double call = shown_by_calls().so_far().processes.call;
  EXPECT_GT(call, 0);
  EXPECT_LT(call, 10);
}

}  // namespace
