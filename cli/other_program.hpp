// Another program beside this one: started without a shell, its output read line by line, ended whatever happens.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// How it ended.
struct program_end {
  int exit_code = -1;      ///< -1: it was killed
  int signal = 0;          ///< by this signal
  bool timed_out = false;  ///< by us, for it took too long
};

/// Runs `words[0]`, a path, with the others as its arguments. Its input is empty; whatever it prints to stdout and stderr is given
/// to `line`, a line at a time and without the newline, when it comes. When it has ended, has taken `longest`, or Ctrl-C was pressed
/// (which leaves, interrupt.hpp), it and the processes that it has started are killed; they are, too, if this process is.
/// Exit code 127 if it cannot be started. Throws std::system_error if no process can be had.
program_end run_other(const std::vector<std::string>& words, std::chrono::nanoseconds longest,
                      const std::function<void(std::string_view)>& line);

}  // namespace cli
