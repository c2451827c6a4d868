// forkful tour --python: the talk's lines, run by the real interpreter with the module `forkful`.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace tour {
struct step;
}

namespace cli {

struct interpreter {
  std::string path = "/usr/bin/python3";                       ///< Debian's own
  std::chrono::nanoseconds longest = std::chrono::minutes(1);  ///< that it may take for a step
};

/// False if it cannot be started, or has no module `forkful`; what to do was said on stderr.
bool has_forkful(const interpreter& python);

/// Prints what the lines of a step print in Python: each step has a process of its own, which is given what the talk has made
/// by then. `files`: the real cake, as the step has it. False if they failed or did not end, which was said on stderr.
bool run_in_python(const interpreter& python, std::size_t number, const tour::step& step,
                   const std::vector<std::string>& files);

}  // namespace cli
