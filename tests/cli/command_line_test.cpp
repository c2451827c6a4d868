// Words and options: help, lists, mistakes, exit codes, colour, pauses.
#include "cli/baseline.hpp"
#include "cli/program.hpp"

namespace forkful_tests {
namespace {

TEST(CommandLine, HelpBeginsWithExamples) {
  const ran help = run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_TRUE(help.out.starts_with("Examples:\n  forkful tour")) << help.out;
  EXPECT_EQ(help.err, "");
  expect_baseline("help", help.out);
}

TEST(CommandLine, HelpOfTheTourBeginsWithExamplesAndStatesExitCodes) {
  const ran help = run({"tour", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_TRUE(help.out.starts_with("Examples:\n  forkful tour")) << help.out;
  EXPECT_NE(help.out.find("Exit code: 0 "), std::string::npos);
  expect_baseline("help_tour", help.out);
}

TEST(CommandLine, WithoutAnyWordItShowsHelpAsAMistake) {
  const ran nothing = run({});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_EQ(nothing.out, "");
  EXPECT_EQ(nothing.err, run({"--help"}).out);
}

TEST(CommandLine, ListNamesEveryStepAndRunsNone) {
  const ran list = run({"tour", "--list"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_EQ(list.err, "");
  EXPECT_EQ(lines_of(list.out).size(), 10U);
  expect_baseline("list", list.out);
}

TEST(CommandLine, MistypedWordsGetASuggestionAndExitCode2) {
  std::string said;
  for (const words& mistake :
       {words{"tuor"}, words{"xylophone"}, words{"--hlep"}, words{"tour", "--lst"}, words{"tour", "--stpe", "3"},
        words{"tour", "--step"}, words{"tour", "--step", "0"}, words{"tour", "--step", "11"},
        words{"tour", "--step", "-1"}, words{"tour", "--step", "four"}, words{"tour", "--step", "4x"},
        words{"tour", "--step", ""}, words{"tour", "--step", "99999999999999999999"},
        words{"tour", "--step", "3", "--step", "4"}, words{"tour", "--step", "3", "a_file"}, words{"tuor", "--list"}}) {
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

TEST(CommandLine, WhatItRepeatsCannotMoveTheCursor) {
  EXPECT_EQ(run({"tu\033[2Jor"}).err.find('\033'), std::string::npos);
  EXPECT_EQ(run({"tour", "--step", "\033[2J"}).err.find('\033'), std::string::npos);
}

TEST(CommandLine, AFullDiskIsSaid) {
  const pid_t child = fork();
  if (child == 0) {
    std::freopen("/dev/full", "w", stdout);
    std::freopen("/dev/null", "w", stderr);
    become_program({"tour", "--step", "1"}, {});
  }
  EXPECT_EQ(exit_code_of(child), 1);
}

TEST(CommandLine, ColourIsForTerminals) {
  EXPECT_EQ(run({"tour", "--step", "1"}).out.find('\033'), std::string::npos);

  at_terminal coloured({"tour", "--step", "1"});
  EXPECT_EQ(coloured.end(), 0);
  EXPECT_NE(coloured.said().find("\033["), std::string::npos);
}

TEST(CommandLine, ColourOnlyAddsToTheText) {
  at_terminal coloured({"tour", "--step", "1"});
  EXPECT_EQ(coloured.end(), 0);
  const std::string plain = std::regex_replace(coloured.said(), std::regex("\033\\[[0-9;]*m|\r"), "");
  EXPECT_EQ(plain, run({"tour", "--step", "1"}).out);
}

TEST(CommandLine, NoColorAndDumbTerminalsTurnColourOff) {
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

TEST(CommandLine, AtATerminalItPausesBetweenStepsUntilTheReaderLeaves) {
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

TEST(CommandLine, EndOfInputLeaves) {
  at_terminal tour({"tour"});
  EXPECT_TRUE(tour.says(prompt));
  tour.type("\004");
  EXPECT_EQ(tour.end(), 0);
  EXPECT_EQ(tour.said().find("2 of 10"), std::string::npos);
}

TEST(CommandLine, OneStepAloneDoesNotPause) {
  at_terminal step({"tour", "--step", "1"});
  EXPECT_EQ(step.end(), 0);
  EXPECT_EQ(step.said().find(prompt), std::string::npos);
}

TEST(CommandLine, YesWalksOnAtATerminal) {
  at_terminal tour({"tour", "--yes"});
  EXPECT_TRUE(tour.says("--- 2 of 10 ---"));
  EXPECT_EQ(tour.said().find(prompt), std::string::npos);
}

}  // namespace
}  // namespace forkful_tests
