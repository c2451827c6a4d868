// Texts that users read, compared with files: tests/cli/baselines/NAME.txt.
//
// FORKFUL_UPDATE_BASELINES=1 makes a test write its file instead of comparing; read the difference before you commit it.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include "cli/program.hpp"

namespace forkful_tests {

// Takes out what differs from run to run or from machine to machine: times, memory, which worker was quicker. A picture's rows of
// friends become one, since it may be that one friend ran everything.
inline std::string normalised(const std::string& text) {
  static const std::regex time(R"( *\b[0-9.]+ (ns|us|ms|s)(?![a-z]))");
  static const std::regex memory(R"([0-9.]+ [KMG]?B (of your memory))");
  static const std::regex row(R"(  friend [0-9]+  .*)");
  static const std::regex you(R"(  you       .*)");
  static const std::regex copies(R"(.* by friend [0-9]+: the pages it wrote to)");
  static const std::regex number(R"(\b(friend|worker) [0-9]+)");
  std::string result;
  std::string last;
  for (std::string line : lines_of(text)) {
    if (std::regex_match(line, row)) line = "  friend N  BITES";
    if (std::regex_match(line, you)) line = "  you       BITES";
    if (std::regex_match(line, copies)) line = "            SIZE by friend N: the pages it wrote to";
    line = std::regex_replace(line, memory, "SIZE $1");
    line = std::regex_replace(line, number, "$1 N");
    // "0.2 s" in a story is no measurement; only an axis and a table end in one.
    if (line.find("      ") != std::string::npos) line = std::regex_replace(line, time, " TIME");
    if (line != last || (line.find("BITES") == std::string::npos && line.find("SIZE by") == std::string::npos))
      result += line + '\n';
    last = line;
  }
  return result;
}

inline void expect_baseline(const std::string& name, const std::string& text) {
  const std::string path = std::string(FORKFUL_BASELINES) + "/" + name + ".txt";
  if (std::getenv("FORKFUL_UPDATE_BASELINES") != nullptr) {
    std::ofstream(path) << text;
    return;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file) << path << " is missing; FORKFUL_UPDATE_BASELINES=1 writes it";
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text) << "differs from " << path;
}

}  // namespace forkful_tests
