// Runs `forkful map` as users do: in lines for bash, in a folder of its own that goes with the test.
//
// In a line, `map` is the program with its verb, and `until_is COMMAND` waits for it to succeed (an event, not a time; it gives up
// where a test would hang).
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "cli/program.hpp"

namespace forkful_tests {

class own_folder {
 public:
  own_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "forkful_map.XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  own_folder(const own_folder&) = delete;
  own_folder& operator=(const own_folder&) = delete;
  ~own_folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The exit code is bash's: 128 + signal where one ended what was last.
inline ran bash(const std::string& line) {
  const own_folder folder;
  const std::string script = R"(map() { ")" + std::string(FORKFUL_PROGRAM) + R"(" map "$@"; }
program=")" + std::string(FORKFUL_PROGRAM) +
                             R"("
until_is() { for ((i = 0; i < 2000; ++i)); do "$@" 2> /dev/null > /dev/null && return; sleep 0.01; done; echo "never: $*"; return 1; }
)" + line;
  std::FILE* const out = std::tmpfile();
  std::FILE* const err = std::tmpfile();
  const pid_t child = fork();
  if (child == 0) {
    std::freopen("/dev/null", "r", stdin);
    dup2(fileno(out), STDOUT_FILENO);
    dup2(fileno(err), STDERR_FILENO);
    std::signal(SIGINT, SIG_DFL);
    for (const char* each : {"FORKFUL_REPORT", "PARALLEL", "PARALLEL_SEQ"}) unsetenv(each);
    if (chdir(folder.path().c_str()) == 0) execl("/bin/bash", "bash", "-c", script.c_str(), nullptr);
    _exit(127);
  }
  ran result;
  result.exit_code = exit_code_of(child);
  result.out = contents(out);
  result.err = contents(err);
  std::fclose(out);
  std::fclose(err);
  return result;
}

// The line ends well, prints exactly this, and says nothing.
inline void expect_prints(const std::string& line, const std::string& out) {
  const ran result = bash(line);
  EXPECT_EQ(result.out, out) << line;
  EXPECT_EQ(result.err, "") << line;
  EXPECT_EQ(result.exit_code, 0) << line;
}

// The line is refused before anything runs, in one sentence that holds this.
inline void expect_refused(const std::string& line, const std::string& sentence, int status = 2) {
  const ran result = bash(line);
  EXPECT_EQ(result.out, "") << line;
  EXPECT_TRUE(result.err.starts_with("forkful: ")) << line << "\n" << result.err;
  EXPECT_EQ(lines_of(result.err).size(), 1U) << line << "\n" << result.err;
  EXPECT_NE(result.err.find(sentence), std::string::npos) << line << "\n" << result.err;
  EXPECT_EQ(result.exit_code, status) << line;
}

inline bool has_gnu_parallel() {
  return std::system("parallel --version 2> /dev/null < /dev/null | grep -q 'GNU parallel'") == 0;
}

// `map WORDS` prints this, and so does GNU parallel: the case itself is right.
inline void expect_prints_as_parallel(const std::string& typed, const std::string& out,
                                      const std::string& before = "") {
  expect_prints(before + "map " + typed, out);
  if (!has_gnu_parallel()) return;
  EXPECT_EQ(bash(before + "parallel --will-cite -k " + typed).out, out) << "GNU parallel, given " << typed;
}

}  // namespace forkful_tests
