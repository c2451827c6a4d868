// Several measurements of a machine, made up: which figures they give together, when one more is worth it, and what is said of doubt.
#include "advice/machine_history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "support/some_machine.hpp"

namespace {

using namespace forkful::detail;
using forkful_tests::some_machine;
using testing::HasSubstr;

constexpr double noon = 1.7e9;

machine measured(double taken, double disturbance, double times = 1) {
  machine made = some_machine();
  for (auto way : {&machine::threads, &machine::processes})
    for (auto cost : {&way_costs::call, &way_costs::wake, &way_costs::rouse, &way_costs::hand_out, &way_costs::claim})
      made.*way.*cost *= times;
  for (auto cost : {&machine::crowded_wake, &machine::fork_start, &machine::fork_per_byte, &machine::template_start,
                    &machine::page_fault, &machine::copy_on_write})
    made.*cost *= times;
  for (auto rate : {&machine::copy_rate, &machine::copy_rate_all, &machine::fresh_copy_rate}) made.*rate /= times;
  made.taken = taken;
  made.disturbance = disturbance;
  return made;
}

machine_history of(const std::vector<machine>& all) {
  machine_history made;
  for (const machine& each : all) made.add(each);
  return made;
}

void expect_same_costs(const machine& found, const machine& wanted) {
  for (auto way : {&machine::threads, &machine::processes})
    for (auto cost : {&way_costs::call, &way_costs::wake, &way_costs::rouse, &way_costs::hand_out, &way_costs::claim})
      EXPECT_EQ(found.*way.*cost, wanted.*way.*cost);
  for (auto figure : {&machine::crowded_wake, &machine::fork_start, &machine::fork_per_byte, &machine::template_start,
                      &machine::page_fault, &machine::copy_on_write, &machine::copy_rate, &machine::copy_rate_all,
                      &machine::fresh_copy_rate})
    EXPECT_EQ(found.*figure, wanted.*figure);
}

TEST(machine_history, one_measurement_is_what_there_is) {
  expect_same_costs(best_of(of({measured(noon, 0.8, 50)})), measured(noon, 0.8, 50));
}

TEST(machine_history, the_first_in_quiet_outdoes_all_that_were_disturbed) {
  const machine quiet = measured(noon + 300, 0.02);
  const auto history =
      of({measured(noon, 0.8, 1000), measured(noon + 100, 0.7, 40), measured(noon + 200, 0.9, 300), quiet});
  const machine found = best_of(history);
  expect_same_costs(found, quiet);
  EXPECT_EQ(found.taken, quiet.taken);
  EXPECT_EQ(found.disturbance, quiet.disturbance);
  EXPECT_FALSE(doubtful(found));
}

TEST(machine_history, noise_that_comes_later_changes_nothing) {
  const machine quiet = measured(noon, 0.02);
  expect_same_costs(best_of(of({quiet, measured(noon + 100, 0.9, 1000), measured(noon + 200, 0.9, 30)})), quiet);
}

TEST(machine_history, each_cost_is_the_least_and_each_rate_the_most) {
  machine one = measured(noon, 0.02);
  machine other = measured(noon + 100, 0.05);
  one.fork_start *= 1.5;
  other.copy_rate /= 1.5;
  other.processes.call *= 1.2;
  const machine found = best_of(of({one, other}));
  EXPECT_EQ(found.fork_start, other.fork_start);
  EXPECT_EQ(found.copy_rate, one.copy_rate);
  EXPECT_EQ(found.processes.call, one.processes.call);
}

TEST(machine_history, what_varies_by_nature_is_the_median_of_the_quietest) {
  machine_history history;
  for (const double times : {1.0, 3.0, 2.0}) {
    machine one = measured(noon, 0.02);
    one.processes.wake *= times;
    history.add(one);
  }
  machine disturbed = measured(noon, 0.5);
  disturbed.processes.wake /= 10;
  history.add(disturbed);
  EXPECT_EQ(best_of(history).processes.wake, 2 * some_machine().processes.wake);
}

TEST(machine_history, a_wonder_among_quiet_measurements_is_not_believed) {
  machine wonder = measured(noon, 0.02);
  wonder.processes.call /= 5;
  wonder.copy_rate *= 5;
  const machine usual = measured(noon, 0.03);
  machine slower = measured(noon, 0.03, 1.1);
  const machine found = best_of(of({wonder, usual, slower}));
  EXPECT_EQ(found.processes.call, usual.processes.call);
  EXPECT_EQ(found.copy_rate, usual.copy_rate);
  EXPECT_EQ(found.fork_start, usual.fork_start) << "of its other figures nothing is wondrous";
}

TEST(machine_history, keeps_six_and_loses_the_most_disturbed) {
  machine_history history;
  for (int i = 0; i != 10; ++i) history.add(measured(noon + i, i % 2 == 0 ? 0.9 : 0.01));
  ASSERT_EQ(history.measured.size(), 6U);
  const auto quiet = std::count_if(history.measured.begin(), history.measured.end(),
                                   [](const machine& one) { return one.disturbance < 0.1; });
  EXPECT_EQ(quiet, 5);
}

TEST(machine_history, what_real_calls_showed_counts_where_it_is_better) {
  machine_history history = of({measured(noon, 0.8, 100)});
  shown_figures shown;
  shown.processes.call = 2e-6;
  shown.threads.call = 1;  // slower than measured
  shown.processes.wake = 50e-6;
  shown.copy_rate = 9e9;
  history.add(shown);
  const machine found = best_of(history);
  const machine poisoned = measured(noon, 0.8, 100);
  EXPECT_EQ(found.processes.call, 2e-6);
  EXPECT_EQ(found.processes.wake, 50e-6);
  EXPECT_LE(found.processes.rouse, found.processes.wake);
  EXPECT_EQ(found.threads.call, poisoned.threads.call);
  EXPECT_EQ(found.copy_rate, 9e9);
  EXPECT_EQ(found.fresh_copy_rate, poisoned.fresh_copy_rate) << "nothing was shown of it";
  EXPECT_EQ(found.processes.hand_out, poisoned.processes.hand_out);

  shown = {};
  shown.processes.call = 3e-6;
  history.add(shown);
  EXPECT_EQ(best_of(history).processes.call, 2e-6) << "the better of both showings";
}

TEST(machine_history, another_measurement_is_worth_it_when_it_may_be_better) {
  EXPECT_TRUE(worth_measuring({}, noon, 1)) << "there is none";
  const auto disturbed = of({measured(noon, 0.8)});
  EXPECT_TRUE(worth_measuring(disturbed, noon + 10, 0)) << "it is quieter now";
  EXPECT_FALSE(worth_measuring(disturbed, noon + 10, 1)) << "it is not";
  EXPECT_FALSE(worth_measuring(disturbed, noon + 1, 0)) << "what disturbed it may come back";
  EXPECT_TRUE(worth_measuring(disturbed, noon + 100, 1))
      << "the best of several disturbed ones is better than the first";
  const auto all_disturbed = of(std::vector<machine>(6, measured(noon, 0.8)));
  EXPECT_FALSE(worth_measuring(all_disturbed, noon + 1000, 1)) << "but six are enough of them";
  EXPECT_TRUE(worth_measuring(all_disturbed, noon + 1000, 0));
  const auto quiet = of({measured(noon, 0.02)});
  EXPECT_FALSE(worth_measuring(quiet, noon + 10, 0)) << "too soon for another opinion";
  EXPECT_TRUE(worth_measuring(quiet, noon + 1000, 0)) << "the first few are spread over time";
  EXPECT_FALSE(worth_measuring(quiet, noon + 1000, 0.5)) << "but taken in quiet";
  EXPECT_TRUE(worth_measuring(quiet, noon - 1000, 0)) << "a clock that was set back is no reason to wait";
  const auto enough = of({measured(noon, 0), measured(noon, 0), measured(noon, 0), measured(noon, 0)});
  EXPECT_FALSE(worth_measuring(enough, noon + 1e6, 0));
}

TEST(machine_history, a_machine_that_is_never_steady_is_measured_now_and_then_only) {
  machine_history history;
  for (int i = 0; i != 6; ++i) {
    machine one = measured(noon, 0);
    one.spread = 0.4;
    history.add(one);
  }
  EXPECT_FALSE(worth_measuring(history, noon + 10, 0));
  EXPECT_TRUE(worth_measuring(history, noon + 100, 0));
}

TEST(machine_history, a_date_that_no_calendar_has_is_none) {
  EXPECT_EQ(date_of(0), "");
  EXPECT_EQ(date_of(1e18), "") << "its year is more than an int";
  EXPECT_THAT(date_of(noon), HasSubstr("2023-11-1"));
}

TEST(machine_history, doubt_is_said_with_its_reason_and_what_to_do) {
  EXPECT_EQ(doubt_about(measured(noon, 0.05)), "");
  const std::string disturbed = doubt_about(measured(noon, 0.79));
  EXPECT_THAT(disturbed, HasSubstr("measured on 2023-11-1"));
  EXPECT_THAT(disturbed, HasSubstr("other programs took 79 % of the cores"));
  EXPECT_THAT(disturbed, HasSubstr("forkful doctor measures anew when it is quiet"));
  machine noisy = measured(0, 0);
  noisy.spread = 0.4;
  EXPECT_THAT(doubt_about(noisy), HasSubstr("the machine was measured while repeated measurements differed by 40 %"));
}

}  // namespace
