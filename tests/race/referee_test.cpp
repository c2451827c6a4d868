// What the referee of a race says, given times and results that are known.
#include <gmock/gmock.h>
#include <CLI/CLI.hpp>

#include <nlohmann/json.hpp>
#include <sstream>

#include "race/compare.hpp"
#include "race/fake_works.hpp"
#include "race/noise.hpp"
#include "race/rounds.hpp"
#include "race/schedule.hpp"
#include "race/texts.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace forkful_tests {
namespace {

using namespace std::chrono_literals;
using race::lane;
using race::way;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using times = std::vector<std::chrono::nanoseconds>;

lane ran(way which, std::chrono::nanoseconds low, std::chrono::nanoseconds median, std::chrono::nanoseconds high) {
  return {.which = which, .times = {low, median, high}, .took = {.median = median, .low = low, .high = high}};
}

race::outcome race_of(std::vector<lane> lanes) { return {.rounds = 3, .lanes = std::move(lanes)}; }

std::string said_of(std::vector<lane> lanes) { return race::verdict_of(race_of(std::move(lanes))).sentence; }

race::outcome run(std::size_t work, std::size_t rounds, std::span<const way> ways, unsigned workers = 1) {
  const race::entry& entry = race::works()[work];
  const auto what = entry.make({});
  return race::run(entry, *what, {.workers = workers, .rounds = rounds, .ways = ways});
}

constexpr std::array loop_and_processes{way::serial, way::process};

TEST(difference, is_empty_only_for_the_same_bits) {
  EXPECT_EQ(race::difference({"ab", "cd"}, {"ab", "cd"}), "");
  EXPECT_EQ(race::difference({}, {}), "");
  EXPECT_EQ(race::difference({"ab", "cd"}, {"ab", "ce"}), "slice 1 differs from byte 1 on");
  EXPECT_EQ(race::difference({"ab", "cd"}, {"xb", "ce"}), "slice 0 differs from byte 0 on");
  EXPECT_EQ(race::difference({"ab", "cd"}, {"ab", "cde"}), "slice 1 has 3 bytes instead of 2");
  EXPECT_EQ(race::difference({"ab", "cd"}, {"ab"}), "1 results instead of 2");
  EXPECT_EQ(race::difference({std::string("a\0b", 3)}, {std::string("a\0c", 3)}), "slice 0 differs from byte 2 on");
}

TEST(spread, of_few_times_is_lowest_and_highest) {
  const race::spread five = race::spread_of({5ns, 1ns, 3ns, 2ns, 4ns});
  EXPECT_EQ(five.median, 3ns);
  EXPECT_EQ(five.low, 1ns);
  EXPECT_EQ(five.high, 5ns);
  EXPECT_EQ(race::spread_of({7ns}).low, 7ns);
  EXPECT_EQ(race::spread_of({7ns}).high, 7ns);
  EXPECT_EQ(race::spread_of({1ns, 3ns}).median, 2ns);
}

// From tables of the sign test: of 10 times the second lowest and second highest, of 25 the eighth, of 100 the fortieth.
TEST(spread, of_many_times_is_the_interval_of_order_statistics) {
  const auto interval = [](int n) {
    times all;
    for (int i = n; i >= 1; --i) all.emplace_back(i);
    const race::spread found = race::spread_of(all);
    return std::pair(found.low.count(), found.high.count());
  };
  EXPECT_EQ(interval(6), std::pair(1L, 6L));
  EXPECT_EQ(interval(10), std::pair(2L, 9L));
  EXPECT_EQ(interval(25), std::pair(8L, 18L));
  EXPECT_EQ(interval(100), std::pair(40L, 61L));
}

TEST(spread, noise_is_the_middle_half_over_the_median) {
  EXPECT_DOUBLE_EQ(race::spread_of({10ns, 10ns, 10ns, 10ns, 90ns}).noise, 0.0);
  EXPECT_DOUBLE_EQ(race::spread_of({5ns, 8ns, 10ns, 12ns, 90ns}).noise, 0.4);
}

TEST(verdict, names_the_fastest_and_by_how_much) {
  EXPECT_EQ(said_of({ran(way::serial, 19ms, 20ms, 21ms), ran(way::process, 9ms, 10ms, 11ms)}),
            "Fastest: process, 2.0 x the loop.");
  EXPECT_EQ(said_of({ran(way::serial, 29ms, 30ms, 31ms), ran(way::snapshot, 14ms, 15ms, 16ms),
                     ran(way::process, 9ms, 10ms, 11ms)}),
            "Fastest: process, 3.0 x the loop and 1.5 x the next, snapshot.");
  EXPECT_EQ(said_of({ran(way::snapshot, 14ms, 15ms, 16ms), ran(way::process, 9ms, 10ms, 11ms)}),
            "Fastest: process, 1.5 x the next, snapshot.");
}

TEST(verdict, says_when_the_loop_wins) {
  EXPECT_EQ(said_of({ran(way::serial, 9ms, 10ms, 11ms), ran(way::process, 19ms, 20ms, 21ms),
                     ran(way::snapshot, 49ms, 50ms, 51ms)}),
            "Fastest: the loop. Going parallel does not pay here: process took 2.0 x as long.");
}

TEST(verdict, is_too_close_where_intervals_overlap) {
  const race::verdict of_two = race::verdict_of(race_of(
      {ran(way::serial, 39ms, 40ms, 41ms), ran(way::process, 19ms, 20ms, 21ms), ran(way::shared, 20ms, 21ms, 23ms)}));
  EXPECT_EQ(of_two.sentence, "Too close to say: process and shared took about the same, 2.0 x the loop.");
  EXPECT_TRUE(of_two.too_close());
  EXPECT_THAT(of_two.winners, ElementsAre("process", "shared"));
  EXPECT_EQ(said_of({ran(way::serial, 19ms, 21ms, 22ms), ran(way::process, 19ms, 20ms, 21ms)}),
            "Too close to say: process and serial took about the same; going parallel gained nothing.");
}

TEST(verdict, is_too_close_where_medians_are_the_same_to_two_percent) {
  EXPECT_EQ(said_of({ran(way::serial, 1020us, 1020us, 1020us), ran(way::process, 1000us, 1000us, 1000us)}),
            "Too close to say: process and serial took about the same; going parallel gained nothing.");
  EXPECT_EQ(said_of({ran(way::serial, 1030us, 1030us, 1030us), ran(way::process, 1000us, 1000us, 1000us)}),
            "Fastest: process, 1.03 x the loop.");
}

TEST(verdict, of_one_way_or_none) {
  EXPECT_EQ(said_of({ran(way::serial, 9ms, 10ms, 11ms)}), "Only serial ran.");
  EXPECT_EQ(said_of({{.which = way::thread, .why_not = "would end the program"}}), "No way could run.");
}

TEST(verdict, says_that_the_work_is_parallel_already) {
  race::outcome race = race_of({ran(way::serial, 9ms, 10ms, 11ms), ran(way::process, 19ms, 20ms, 21ms)});
  race.lanes[0].busy_cores = {1.9, 1.1, 1.9};
  EXPECT_EQ(
      race::verdict_of(race).sentence,
      "Fastest: the loop. Going parallel does not pay here: process took 2.0 x as long. The work is parallel already: "
      "its loop keeps 1.9 cores busy.");
  race.parallel_by = "OpenBLAS";
  EXPECT_THAT(race::verdict_of(race).sentence, HasSubstr("The work is parallel already (by OpenBLAS): its loop"));
  EXPECT_EQ(nlohmann::json::parse(as_json(race)).at("already_parallel"), true);
  race.lanes[0].busy_cores = {1.0, 1.0, 3.0};
  EXPECT_EQ(nlohmann::json::parse(as_json(race)).at("already_parallel"), false);
  EXPECT_THAT(race::verdict_of(race).sentence, Not(HasSubstr("already")));
  race.advised_parallel = true;
  EXPECT_THAT(race::verdict_of(race).sentence, EndsWith(" The work is parallel already (by OpenBLAS)."))
      << "other programs had the cores, but the advisor knows";
}

TEST(schedule, knows_how_long_a_race_may_take) {
  race::schedule free(0s, 0);
  EXPECT_EQ(free.of(way::thread), 0ns) << "nothing ran yet";
  free.took(way::serial, 10ms);
  EXPECT_EQ(free.of(way::thread), 10ms) << "as slow as the loop, until it is known";
  free.took(way::thread, 5ms);
  const std::array ways{way::serial, way::thread};
  EXPECT_EQ(free.round(ways), 15ms);
  EXPECT_EQ(free.at_most(0s, ways, 0), 15ms + 3s + free.ending(ways));
  EXPECT_EQ(free.at_most(0s, ways, 2), 3s + free.ending(ways)) << "both are warm";
  free.took(way::serial, 10s);
  EXPECT_EQ(free.at_most(0s, ways, 2), 12s + 10s + 5ms + free.ending(ways)) << "a last round begins before 12 s";

  race::schedule told(2s, 4);
  told.took(way::serial, 10ms);
  EXPECT_EQ(told.at_most(0s, ways, 2), 80ms + told.ending(ways));
  told.took(way::serial, 10s);
  EXPECT_EQ(told.at_most(500ms, ways, 2), 1500ms) << "no more than what is left";
}

TEST(schedule, begins_what_can_end_in_time) {
  const race::schedule free(0s, 0);
  EXPECT_TRUE(free.fits(1h, 1h));
  const race::schedule told(2s, 0);
  EXPECT_TRUE(told.fits(1s, 1s));
  EXPECT_FALSE(told.fits(1s, 1001ms));
}

TEST(schedule, goes_on_until_there_were_enough_rounds_or_too_much_time) {
  const race::schedule free(0s, 0);
  EXPECT_TRUE(free.another_round(0, 1h)) << "one there is";
  EXPECT_TRUE(free.another_round(4, 11s));
  EXPECT_FALSE(free.another_round(4, 13s));
  EXPECT_TRUE(free.another_round(100, 2s));
  EXPECT_FALSE(free.another_round(5, 4s));
  EXPECT_FALSE(free.another_round(1001, 1s));
  const race::schedule told(0s, 7);
  EXPECT_TRUE(told.another_round(6, 1h));
  EXPECT_FALSE(told.another_round(7, 1s));
}

TEST(referee, stops_at_five_rounds_when_the_medians_are_sure) {
  const race::outcome race = run(honest, 0, loop_and_processes);
  EXPECT_EQ(race.rounds, 5U);
  EXPECT_EQ(race.lanes[0].times, times(5, 20ms));
  EXPECT_EQ(race.lanes[1].times, times(5, 10ms));
  EXPECT_EQ(race.remark, "all is well");
  EXPECT_TRUE(race.all_same());
}

TEST(referee, runs_as_many_rounds_as_it_was_told) {
  EXPECT_EQ(run(honest, 3, loop_and_processes).lanes[1].times.size(), 3U);
}

TEST(referee, runs_every_way_in_turns) {
  std::vector<std::string> told;
  const race::entry& entry = race::works()[honest];
  const auto what = entry.make({});
  race::run(entry, *what,
            {.workers = 1, .rounds = 2, .ways = loop_and_processes, .progress = [&](const race::news& now) {
               told.push_back(now.what);
             }});
  EXPECT_THAT(told, ElementsAre("the warm-up round", "the warm-up round, serial", "the warm-up round, process",
                                "round 1, serial", "round 1, process", "round 2, serial", "round 2, process",
                                HasSubstr("one call more")));
}

TEST(referee, foretells_the_loop_s_time_before_any_way_races) {
  std::vector<std::string> told;
  const race::entry& entry = race::works()[honest];
  const auto what = entry.make({});
  race::run(entry, *what,
            {.workers = 1,
             .rounds = 1,
             .ways = loop_and_processes,
             .progress = [&](const race::news& now) { told.push_back(now.what); },
             .foretell =
                 [&](std::chrono::nanoseconds loop, std::chrono::nanoseconds all) {
                   EXPECT_GT(loop.count(), 0);
                   EXPECT_GE(all, 3 * loop) << "two ways to warm up, and a round";
                   told.emplace_back("foretold");
                 }});
  ASSERT_GE(told.size(), 3U);
  EXPECT_EQ(told[1], "foretold");
}

TEST(referee, leaves_out_what_it_has_no_time_for_and_says_so) {
  const race::entry& entry = race::works()[honest];
  const auto what = entry.make({});
  const race::outcome race = race::run(entry, *what, {.ways = loop_and_processes, .within = 1ns});
  EXPECT_EQ(race.rounds, 1U);
  EXPECT_EQ(race.lanes[0].times, times{20ms}) << "the loop always runs once";
  EXPECT_FALSE(race.lanes[0].drawn);
  EXPECT_FALSE(race.lanes[1].ran());
  EXPECT_EQ(race.lanes[1].why_not, "there was no time left for it");
  EXPECT_THAT(race.left_out,
              ElementsAre("a look at what else runs", "the way process", "all rounds but the one to warm up",
                          "the prediction", "picture, copies and memory of serial"));
  EXPECT_THAT(as_text(race), HasSubstr("Left out, to end in time: a look at what else runs; the way process; all"));
  EXPECT_THAT(as_markdown(race), HasSubstr("Left out, to end in time: a look at what else runs; the way process; all"));
  EXPECT_THAT(as_text(race), HasSubstr("serial    20.0 ms               -    1.0 x         -        -        -\n"));
  const auto json = nlohmann::json::parse(as_json(race));
  EXPECT_EQ(json.at("left_out").size(), 5U);
  EXPECT_TRUE(json.at("ways").at(0).at("bytes_in").is_null());
  EXPECT_EQ(run(honest, 2, loop_and_processes).left_out, std::vector<std::string>());
}

TEST(referee, finds_a_wrong_bit_whenever_it_comes) {
  for (const std::size_t work : {liar, late_liar}) {
    const race::outcome race = run(work, 2, loop_and_processes);
    EXPECT_FALSE(race.all_same());
    EXPECT_EQ(race.lanes[0].difference, "");
    EXPECT_EQ(race.lanes[1].difference, "slice 2 differs from byte 1 on");
    EXPECT_EQ(race.remark, "") << "it praises what is wrong";
    EXPECT_THAT(as_text(race), HasSubstr("process gave other results than the loop: slice 2 differs from byte 1 on\n"));
    const auto json = nlohmann::json::parse(as_json(race));
    EXPECT_EQ(json.at("same_results"), false);
    EXPECT_EQ(json.at("ways").at(1).at("same_results"), false);
  }
}

TEST(referee, puts_the_prediction_beside_the_measurement) {
  const race::outcome race = run(honest, 2, race::all_ways, 0);
  const auto json = nlohmann::json::parse(as_json(race));
  EXPECT_EQ(json.at("ways").at(0).at("predicted_ns"), 21'000'000);
  EXPECT_TRUE(json.at("ways").at(1).at("predicted_ns").is_null()) << "it cannot go that way";
  EXPECT_EQ(json.at("ways").at(3).at("predicted_ns"), 11'000'000);
  EXPECT_THAT(as_text(race),
              HasSubstr("way        median           range predicted speed-up copied in      out   memory\n"));
  EXPECT_THAT(as_text(race), HasSubstr("process   10.0 ms    10.0-10.0 ms   11.0 ms    2.0 x"));
  EXPECT_THAT(as_text(race), HasSubstr("shared     not run: it has no table\n"));
  std::istringstream lines(as_text(race));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), cli::columns) << line;
}

TEST(referee, predicts_nothing_for_other_workers_than_the_advisor_expects) {
  const race::outcome race = run(honest, 1, race::all_ways, 3);
  for (const lane& each : race.lanes) EXPECT_FALSE(each.predicted.has_value());
  EXPECT_EQ(as_text(race).find("predicted"), std::string::npos);
}

TEST(noise, is_said_in_one_sentence) {
  race::outcome quiet = race_of({ran(way::serial, 9ms, 10ms, 11ms)});
  EXPECT_EQ(race::noise_of(quiet, ""), "");
  EXPECT_EQ(race::noise_of(quiet, "others kept 1.3 CPUs busy just before"),
            "The machine is not quiet: others kept 1.3 CPUs busy just before. Race again when it is.");
  quiet.lanes[0].took.noise = 0.2;
  EXPECT_EQ(race::noise_of(quiet, ""),
            "The machine is not quiet: rounds of the same way differ by 20 %. Race again when it is.");
}

// The verb itself, with these works: what it leaves with.
int left_with(std::vector<std::string> words) {
  const auto verb = cli::race_verb();
  CLI::App app;
  verb->describe(app);
  std::reverse(words.begin(), words.end());
  app.parse(words);
  std::ostringstream printed;
  cli::print_to(&printed);
  const int code = verb->run(app);
  cli::print_to(nullptr);
  return code;
}

TEST(referee, leaves_with1_where_results_differ) {
  EXPECT_EQ(left_with({"--work", "honest", "--rounds", "1", "--workers", "1"}), cli::all_well);
  EXPECT_EQ(left_with({"--work", "liar", "--rounds", "1", "--workers", "1"}), cli::input_failed);
  EXPECT_EQ(left_with({"--work", "liar", "--rounds", "1", "--workers", "1", "--json"}), cli::input_failed);
  EXPECT_EQ(left_with({"--work", "late_liar", "--rounds", "1", "--workers", "1"}), cli::input_failed);
}

}  // namespace
}  // namespace forkful_tests
