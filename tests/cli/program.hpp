// Runs the command line tool and stores its output: through pipes, or at a terminal whose other end the test holds.
//
// FORKFUL_PROGRAM is its path. Nothing here waits for a time: pipes are read to their end, a terminal until the wanted
// text has come.
#pragma once

#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace forkful_tests {

struct ran {
  int exit_code = -1;  // -1: it was killed
  std::string out;
  std::string err;
};

using words = std::vector<std::string>;

// `interrupt`: what ^C does. (Tests that a script runs in the background inherit that it is ignored.)
[[noreturn]] inline void become_program(const words& arguments, const words& environment,
                                        sighandler_t interrupt = SIG_DFL) {
  std::signal(SIGINT, interrupt);
  unsetenv("NO_COLOR");
  setenv("TERM", "xterm", 1);
  for (std::string each : environment) putenv(strdup(each.c_str()));
  std::vector<char*> argv{const_cast<char*>(FORKFUL_PROGRAM)};
  for (const std::string& each : arguments) argv.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  execv(FORKFUL_PROGRAM, argv.data());
  _exit(127);
}

inline int exit_code_of(pid_t child) {
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The text of a file that is open for writing and reading.
inline std::string contents(std::FILE* file) {
  std::rewind(file);
  std::string text;
  char room[4096];
  for (std::size_t got; (got = std::fread(room, 1, sizeof room, file)) != 0;) text.append(room, got);
  return text;
}

// Without a terminal: output goes to files, input is empty.
inline ran run(const words& arguments, const words& environment = {}) {
  std::FILE* const out = std::tmpfile();
  std::FILE* const err = std::tmpfile();
  std::FILE* const in = std::tmpfile();
  const pid_t child = fork();
  if (child == 0) {
    dup2(fileno(in), STDIN_FILENO);
    dup2(fileno(out), STDOUT_FILENO);
    dup2(fileno(err), STDERR_FILENO);
    become_program(arguments, environment);
  }
  ran result;
  result.exit_code = exit_code_of(child);
  result.out = contents(out);
  result.err = contents(err);
  for (std::FILE* file : {in, out, err}) std::fclose(file);
  return result;
}

// The program at a terminal of 80 columns. Destroying it hangs up.
class at_terminal {
 public:
  explicit at_terminal(const words& arguments, const words& environment = {}, sighandler_t interrupt = SIG_DFL) {
    winsize size{};
    size.ws_col = 80;
    size.ws_row = 50;
    child_ = forkpty(&terminal_, nullptr, nullptr, &size);
    if (child_ == 0) become_program(arguments, environment, interrupt);
  }
  at_terminal(const at_terminal&) = delete;
  at_terminal& operator=(const at_terminal&) = delete;
  ~at_terminal() {
    close(terminal_);
    if (child_ > 0) exit_code_of(child_);
  }

  // Reads on until `text` was said since the last call. False: the program ended first.
  bool says(std::string_view text) {
    while (true) {
      const std::size_t found = said_.find(text, heard_);
      if (found != std::string::npos) {
        heard_ = found + text.size();
        return true;
      }
      if (!read_some()) return false;
    }
  }
  void type(std::string_view text) {
    EXPECT_EQ(write(terminal_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // Reads to the end and returns the exit code.
  int end() {
    while (read_some()) {
    }
    const int code = exit_code_of(child_);
    child_ = -1;
    return code;
  }
  [[nodiscard]] const std::string& said() const { return said_; }

 private:
  bool read_some() {
    char room[4096];
    const ssize_t got = read(terminal_, room, sizeof room);  // EIO: the program has left
    if (got <= 0) return false;
    said_.append(room, static_cast<std::size_t>(got));
    return true;
  }

  int terminal_ = -1;
  pid_t child_ = -1;
  std::string said_;
  std::size_t heard_ = 0;
};

inline words lines_of(std::string_view text) {
  words lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace forkful_tests
