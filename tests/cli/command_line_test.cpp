// Words and options: help, lists, mistakes, exit codes, colour, pauses.
#include "cli/baseline.hpp"
#include "cli/program.hpp"

namespace forkful_tests {
namespace {

TEST(command_line, help_begins_with_examples) {
  const ran help = run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_TRUE(help.out.starts_with("Examples:\n  forkful tour")) << help.out;
  EXPECT_EQ(help.err, "");
  expect_baseline("help", help.out);
}

TEST(command_line, help_of_the_tour_begins_with_examples_and_states_exit_codes) {
  const ran help = run({"tour", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_TRUE(help.out.starts_with("Examples:\n  forkful tour")) << help.out;
  EXPECT_NE(help.out.find("Exit code: 0 "), std::string::npos);
  expect_baseline("help_tour", help.out);
}

TEST(command_line, without_any_word_it_shows_help_as_a_mistake) {
  const ran nothing = run({});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_EQ(nothing.out, "");
  EXPECT_EQ(nothing.err, run({"--help"}).out);
}

TEST(command_line, list_names_every_step_and_runs_none) {
  const ran list = run({"tour", "--list"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_EQ(list.err, "");
  EXPECT_EQ(lines_of(list.out).size(), 10U);
  expect_baseline("list", list.out);
}

TEST(command_line, mistyped_words_get_a_suggestion_and_exit_code2) {
  std::string said;
  for (const words& mistake : {words{"tuor"},
                               words{"xylophone"},
                               words{"--hlep"},
                               words{"tour", "--lst"},
                               words{"tour", "--stpe", "3"},
                               words{"tour", "--step"},
                               words{"tour", "--step", "0"},
                               words{"tour", "--step", "11"},
                               words{"tour", "--step", "-1"},
                               words{"tour", "--step", "four"},
                               words{"tour", "--step", "4x"},
                               words{"tour", "--step", ""},
                               words{"tour", "--step", "99999999999999999999"},
                               words{"tour", "--step", "3", "--step", "4"},
                               words{"tour", "--step", "3", "a_file"},
                               words{"tour", "--timeout", "5s"},
                               words{"tour", "--interpreter", "/usr/bin/python3"},
                               words{"tour", "--python", "--timeout", "soon"},
                               words{"tour", "--python", "--timeout", "0"},
                               words{"tour", "--python", "--timeout"},
                               words{"tour", "--python", "--interpreter"},
                               words{"tuor", "--list"}}) {
    const ran result = run(mistake);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
    EXPECT_TRUE(result.err.starts_with("forkful: ")) << result.err;
    for (const std::string& word : mistake) said += "[" + word + "] ";
    said += "\n  " + result.err;
  }
  expect_baseline("mistakes", said);
}

TEST(command_line, what_it_repeats_cannot_move_the_cursor) {
  EXPECT_EQ(run({"tu\033[2Jor"}).err.find('\033'), std::string::npos);
  EXPECT_EQ(run({"tour", "--step", "\033[2J"}).err.find('\033'), std::string::npos);
}

TEST(command_line, a_full_disk_is_said) {
  const pid_t child = fork();
  if (child == 0) {
    std::freopen("/dev/full", "w", stdout);
    std::freopen("/dev/null", "w", stderr);
    become_program({"tour", "--step", "1"}, {});
  }
  EXPECT_EQ(exit_code_of(child), 1);
}

TEST(command_line, colour_is_for_terminals) {
  EXPECT_EQ(run({"tour", "--step", "1"}).out.find('\033'), std::string::npos);

  at_terminal coloured({"tour", "--step", "1"});
  EXPECT_EQ(coloured.end(), 0);
  EXPECT_NE(coloured.said().find("\033["), std::string::npos);
}

TEST(command_line, colour_only_adds_to_the_text) {
  at_terminal coloured({"tour", "--step", "1"});
  EXPECT_EQ(coloured.end(), 0);
  const std::string plain = std::regex_replace(coloured.said(), std::regex("\033\\[[0-9;]*m|\r"), "");
  EXPECT_EQ(plain, run({"tour", "--step", "1"}).out);
}

TEST(command_line, no_color_and_dumb_terminals_turn_colour_off) {
  for (const char* setting : {"NO_COLOR=1", "TERM=dumb"}) {
    at_terminal plain({"tour", "--step", "1"}, {setting});
    EXPECT_EQ(plain.end(), 0);
    EXPECT_NE(plain.said().find("slice_3"), std::string::npos);
    EXPECT_EQ(plain.said().find('\033'), std::string::npos) << setting;
  }
  at_terminal empty({"tour", "--step", "1"}, {"NO_COLOR="});  // an empty value does not count, says no-color.org
  EXPECT_EQ(empty.end(), 0);
  EXPECT_NE(empty.said().find('\033'), std::string::npos);
}

constexpr std::string_view prompt = "Enter for the next step, q to leave: ";

TEST(command_line, at_a_terminal_it_pauses_between_steps_until_the_reader_leaves) {
  at_terminal tour({"tour"});
  EXPECT_TRUE(tour.says("--- 1 of 10 ---"));
  EXPECT_TRUE(tour.says(prompt));
  EXPECT_EQ(tour.said().find("2 of 10"), std::string::npos);
  tour.type("\n");
  EXPECT_TRUE(tour.says("--- 2 of 10 ---"));
  EXPECT_TRUE(tour.says(prompt));
  tour.type("q\n");
  EXPECT_EQ(tour.end(), 0);
  EXPECT_EQ(tour.said().find("3 of 10"), std::string::npos);
}

TEST(command_line, end_of_input_leaves) {
  at_terminal tour({"tour"});
  EXPECT_TRUE(tour.says(prompt));
  tour.type("\004");
  EXPECT_EQ(tour.end(), 0);
  EXPECT_EQ(tour.said().find("2 of 10"), std::string::npos);
}

TEST(command_line, one_step_alone_does_not_pause) {
  at_terminal step({"tour", "--step", "1"});
  EXPECT_EQ(step.end(), 0);
  EXPECT_EQ(step.said().find(prompt), std::string::npos);
}

TEST(command_line, yes_walks_on_at_a_terminal) {
  at_terminal tour({"tour", "--yes"});
  EXPECT_TRUE(tour.says("--- 2 of 10 ---"));
  EXPECT_EQ(tour.said().find(prompt), std::string::npos);
}

}  // namespace
}  // namespace forkful_tests
