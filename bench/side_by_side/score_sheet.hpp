// What a benchmark's main() begins and ends with: its command line, the machine, and the rows it has measured.
//
//   PROGRAM [--json FILE] [WORD...]     only figures whose id or title contains one of the words
//
// --json adds one line to FILE: {"program", "machine", "figures"}, which page.cpp draws.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "row.hpp"

namespace forkful_bench {

class score_sheet {
 public:
  /// Says on which machine this is, and warns if another program is using it.
  score_sheet(int argc, char** argv, std::string program);

  /// Whether the command line asks for this figure.
  [[nodiscard]] bool wanted(std::string_view id, std::string_view title = {}) const;
  /// Prints it and stores it.
  void add(row measured);
  /// Writes the JSON. What main() returns: 1 if two contestants did not compute the same, else 0, whatever the figures are.
  [[nodiscard]] int finish() const;

 private:
  std::string program_;
  std::string json_{};
  std::string machine_;
  std::vector<std::string> words_{};
  std::vector<row> rows_{};
};

}  // namespace forkful_bench
