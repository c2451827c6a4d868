// The tour, step by step: what it says, and that it is true.
#include <filesystem>
#include <fstream>
#include <random>
#include <regex>

#include "cli/baseline.hpp"
#include "cli/program.hpp"

namespace forkful_tests {
namespace {

ran step(int number) { return run({"tour", "--step", std::to_string(number)}); }

bool has_line(const std::string& text, const std::string& line) {
  const words lines = lines_of(text);
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

// Steps 9 and 10 measure; they have tests of their own.
class tour_step : public testing::TestWithParam<int> {};

TEST_P(tour_step, reads_as_its_baseline) {
  const ran result = step(GetParam());
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  expect_baseline("step_" + std::to_string(GetParam()), normalised(result.out));
}

INSTANTIATE_TEST_SUITE_P(each, tour_step, testing::Range(1, 9));

TEST(tour, walks_through_all_steps_in_order_within_eighty_columns) {
  const ran tour = run({"tour"});
  EXPECT_EQ(tour.exit_code, 0) << tour.err;
  EXPECT_EQ(tour.err, "");
  std::size_t at = 0;
  for (int number = 1; number <= 10; ++number) {
    at = tour.out.find("--- " + std::to_string(number) + " of 10 ---", at);
    ASSERT_NE(at, std::string::npos) << "step " << number;
  }
  EXPECT_EQ(tour.out.find('\033'), std::string::npos);
  EXPECT_EQ(tour.out.find("Enter for"), std::string::npos);
  for (const std::string& line : lines_of(tour.out)) {
    EXPECT_LE(line.size(), 80U) << line;
    EXPECT_FALSE(line.ends_with(' ')) << "'" << line << "'";
  }
}

TEST(tour, on_a_photograph_friends_eat_and_the_original_is_untouched) {
  const std::string out = step(4).out;
  for (const char* eaten : {"slice_0_eaten", "slice_1_eaten", "slice_2_eaten", "slice_3_eaten"})
    EXPECT_TRUE(std::regex_search(out, std::regex(std::string("friend [01] sees ") + eaten))) << out;
  EXPECT_TRUE(has_line(out, "your strawberry_cake: slice_0 slice_1 slice_2 slice_3")) << out;
  EXPECT_TRUE(std::regex_search(out, std::regex(" [0-9.]+ [KM]B by friend [01]: the pages it wrote to"))) << out;
}

TEST(tour, in_shared_memory_the_cake_is_eaten_and_nothing_copied) {
  const std::string out = step(5).out;
  EXPECT_TRUE(has_line(out, "cake: slice_0_eaten slice_1_eaten slice_2_eaten slice_3_eaten")) << out;
  EXPECT_TRUE(has_line(out, "  copied    0 B to the friends, 0 B back")) << out;
}

TEST(tour, the_whole_cake_travels_back_only_and_each_slice_both_ways) {
  const std::string whole = step(6).out;
  const std::string each = step(7).out;
  for (const std::string& out : {whole, each})
    EXPECT_TRUE(has_line(out, "cake: slice_0_eaten slice_1_eaten slice_2_eaten slice_3_eaten")) << out;
  EXPECT_TRUE(std::regex_search(whole, std::regex("copied +0 B to the friends, [1-9][0-9]* B back"))) << whole;
  EXPECT_TRUE(std::regex_search(each, std::regex("copied +[1-9][0-9]* B to the friends, [1-9][0-9]* B back"))) << each;
}

TEST(tour, a_fainting_friend_costs_one_slice_and_with_two_attempts_none) {
  const std::string out = step(8).out;
  EXPECT_TRUE(std::regex_search(out, std::regex("slice 1 crashed worker [01] \\(SIGKILL"))) << out;
  EXPECT_TRUE(has_line(out, "slice_0_eaten")) << out;
  EXPECT_TRUE(has_line(out, "slice_2_eaten")) << out;
  EXPECT_TRUE(has_line(out, "slice_3_eaten")) << out;
  EXPECT_TRUE(has_line(out, "eaten: slice_0_eaten slice_1_eaten slice_2_eaten slice_3_eaten")) << out;
  EXPECT_TRUE(std::regex_search(out, std::regex("\\[slice_1 *\\]x"))) << "no picture of the one who fainted\n" << out;
}

TEST(tour, what_is_not_worth_it_is_measured) {
  const ran result = step(9);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* who :
       {"you alone, in a loop", "2 friends who are there already", "2 friends, invited for this cake"})
    EXPECT_TRUE(std::regex_search(result.out, std::regex(std::string(who) + " +[0-9.]+ (ns|us|ms|s) +[0-9.e+-]+ x\n")))
        << result.out;
  EXPECT_TRUE(std::regex_search(result.out, std::regex("\nNot worth it|\nWorth it"))) << result.out;
}

}  // namespace
TEST(tour, leaves_on_interrupt_and_says_how_far_it_came) {
  at_terminal tour({"tour"});
  ASSERT_TRUE(tour.says("Enter for the next step"));
  tour.type("\x03");
  EXPECT_EQ(tour.end(), 130);
  EXPECT_NE(tour.said().find("interrupted in step 1 of 10; go on with: forkful tour --step 1"), std::string::npos)
      << tour.said();
}

TEST(tour, goes_on_after_an_interrupt_that_its_starter_ignores) {
  at_terminal tour({"tour"}, {}, SIG_IGN);
  ASSERT_TRUE(tour.says("Enter for the next step"));
  tour.type("\x03");
  tour.type("q\n");
  EXPECT_EQ(tour.end(), 0) << tour.said();
}

TEST(tour, is_exported_as_one_page_that_holds_every_step_and_its_reports) {
  const std::string page = testing::TempDir() + "tour.html";
  const ran exported = run({"tour", "--export", page});
  EXPECT_EQ(exported.exit_code, 0) << exported.err;
  EXPECT_EQ(exported.out, "");
  EXPECT_TRUE(std::regex_search(exported.err, std::regex("step 10 of 10: .*\n" + page + " holds the tour, [0-9]+ KB")))
      << exported.err;
  std::ifstream file(page);
  const std::string html(std::istreambuf_iterator<char>(file), {});
  for (int step = 1; step <= 10; ++step)
    EXPECT_NE(html.find("<section id=\"step-" + std::to_string(step)), std::string::npos);
  // Steps 2 to 10 show one call each, and step 8 two; what a step prints stands on its page.
  for (int call = 0; call < 10; ++call)
    EXPECT_NE(html.find("<div data-call=\"" + std::to_string(call)), std::string::npos);
  EXPECT_EQ(html.find("<div data-call=\"10"), std::string::npos);
  EXPECT_NE(html.find("Eating slice 3"), std::string::npos);
  EXPECT_NE(html.find("std::vector&lt;std::string&gt; make_cake()"), std::string::npos);
  EXPECT_EQ(html.find('\f'), std::string::npos);
  std::filesystem::remove(page);
}

TEST(tour, that_cannot_be_written_says_so_before_it_walks) {
  const ran exported = run({"tour", "--export", "/no/such/folder/tour.html"});
  EXPECT_EQ(exported.exit_code, 1);
  EXPECT_EQ(exported.err, "forkful: cannot write /no/such/folder/tour.html: No such file or directory\n");
}

TEST(tour, stops_on_interrupt_and_says_how_many_slices_are_done) {
  // Slices that take a second or so each: the reader does not wait for them.
  std::vector<std::string> files;
  std::mt19937 random(1);
  for (int i = 0; i < 4; ++i) {
    files.push_back(testing::TempDir() + "slow_slice_" + std::to_string(i));
    std::string text(4 << 20, ' ');
    for (char& each : text) each = static_cast<char>('a' + random() % 4);
    std::ofstream(files.back()) << text;
  }
  words arguments{"tour", "--step", "10"};
  arguments.insert(arguments.end(), files.begin(), files.end());
  // Where the interrupt meets the loop, which is no call, there is nothing to count: then once more.
  bool counted = false;
  for (int attempt = 0; !counted && attempt != 20; ++attempt) {
    at_terminal tour(arguments);
    ASSERT_TRUE(tour.says("10 of 10"));
    tour.type("\x03");
    ASSERT_EQ(tour.end(), 130) << tour.said();
    std::smatch said;
    const std::string all = tour.said();
    ASSERT_TRUE(std::regex_search(
        all, said, std::regex("interrupted( with [0-4] of 4 slices done)? in step 10 of 10; go on with")))
        << all;
    counted = said[1].matched;
  }
  EXPECT_TRUE(counted);
  for (const std::string& file : files) std::filesystem::remove(file);
}

TEST(tour, leaves_at_once_on_a_second_interrupt_while_its_workers_are_busy) {
  at_terminal tour({"tour", "--step", "10"});
  ASSERT_TRUE(tour.says("10 of 10"));
  tour.type("\x03\x03");
  EXPECT_EQ(tour.end(), 130);
  EXPECT_NE(tour.said().find(" in step 10 of 10; go on with: forkful tour --step 10"), std::string::npos)
      << tour.said();
}

}  // namespace forkful_tests
