// FORKFUL_REPORT: programs that end well, and others. Each test runs this program once more, as the program that it names.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <forkful/forkful.hpp>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/in_child.hpp"

namespace {

using namespace forkful;
using forkful_tests::ending;

// ---- The programs --------------------------------------------------------------------------------------------------------

std::size_t itself(std::size_t i) { return i; }

void three_calls() {
  process_pool pool{2U};
  (void)pool.map(indices(10), itself);
  (void)pool.try_map(indices(20), itself);
  serial_pool loop;
  (void)loop.map(indices(30), itself);
}

void killed_half_way() {
  process_pool pool{2U};
  (void)pool.map(indices(10), itself);
  std::size_t seen = 0;
  for (const std::size_t one : pool.with({.chunk = 1}).imap(indices(1000), itself)) {
    (void)one;
    if (++seen == 5) raise(SIGKILL);
  }
}

// As Ctrl-C does it: all processes in the terminal's group.
void interrupted() {
  process_pool pool{2U};
  (void)pool.map(indices(10), itself);
  setpgid(0, 0);
  std::signal(SIGINT, SIG_DFL);  // a script's background ignores it
  ::kill(0, SIGINT);
  for (;;) pause();
}

void calls_of_others() {
  snapshot_pool pool{2U};
  (void)pool.map(indices(4), [](std::size_t i) {
    serial_pool own;
    return own.map(indices(3), itself).size() + i;
  });
  const auto child = forkful_tests::start_child([] {
    serial_pool own;
    (void)own.map(indices(3), itself);
    std::exit(0);  // with all that is to be done at exit
    return 1;
  });
  if (!forkful_tests::wait_for(child).exited_with(0)) _exit(1);
}

void waits_for_all_children() {
  serial_pool pool;
  (void)pool.map(indices(3), itself);
  if (wait(nullptr) != -1 || errno != ECHILD) _exit(1);
}

void writes_to_a_full_disk() {
  const int full = open("/dev/full", O_WRONLY);
  if (full < 0 || dup2(full, 1) != 1) _exit(1);
  serial_pool pool;
  (void)pool.map(indices(3), itself);
}

void loses_its_folder() {
  serial_pool pool;
  (void)pool.map(indices(3), itself);
  std::filesystem::remove_all(std::filesystem::path(std::getenv("FORKFUL_REPORT")).parent_path());
}

constexpr std::array<std::pair<std::string_view, void (*)()>, 7> programs{
    {{"three_calls", three_calls},
     {"killed_half_way", killed_half_way},
     {"interrupted", interrupted},
     {"calls_of_others", calls_of_others},
     {"waits_for_all_children", waits_for_all_children},
     {"writes_to_a_full_disk", writes_to_a_full_disk},
     {"loses_its_folder", loses_its_folder}}};

// Not a test: what the tests below run.
TEST(reporter_program, is_what_it_is_told_to_be) {
  const char* const name = std::getenv("FORKFUL_TEST_PROGRAM");
  if (name == nullptr) GTEST_SKIP() << "run by the tests of reporter";
  for (const auto& [known, run] : programs) {
    if (known == name) return run();
  }
  FAIL() << name;
}

// ---- Running them --------------------------------------------------------------------------------------------------------

struct outcome_of_program {
  ending how{};
  std::string out;  // standard output and standard error, up to the end of both
};

class reporter : public testing::Test {
 protected:
  reporter() {
    std::string pattern = (std::filesystem::temp_directory_path() / "forkful-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~reporter() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

  // Ends when no process holds the program's output open any more.
  static outcome_of_program run(const std::string& program, const std::string& target) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    const pid_t child = fork();
    if (child == 0) {
      dup2(ends[1], 1);
      dup2(ends[1], 2);
      close(ends[0]);
      close(ends[1]);
      setenv("FORKFUL_TEST_PROGRAM", program.c_str(), 1);
      setenv("FORKFUL_REPORT", target.c_str(), 1);
      execl("/proc/self/exe", "program", "--gtest_filter=reporter_program.*", "--gtest_brief=1", nullptr);
      _exit(98);
    }
    close(ends[1]);
    outcome_of_program happened;
    happened.how = forkful_tests::wait_for(child);
    std::array<char, 4096> piece{};
    for (ssize_t got = 0; (got = read(ends[0], piece.data(), piece.size())) > 0;) {
      happened.out.append(piece.data(), static_cast<std::size_t>(got));
    }
    close(ends[0]);
    return happened;
  }

  // Once it is there it is whole. After a kill that may take a moment; ctest's limit is the alarm.
  static std::string read_file(const std::string& path) {
    while (!std::filesystem::exists(path)) usleep(1000);
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  static std::size_t count(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size()) ++found;
    return found;
  }

  // A program's report has the totals of its pools first.
  static std::string calls_of(const std::string& json) { return json.substr(json.find("\"calls\":[")); }
  static std::string totals_of(const std::string& json) { return json.substr(0, json.find("\"calls\":[")); }

 private:
  std::string folder_;
};

TEST_F(reporter, writes_all_calls_before_the_program_is_gone) {
  const auto happened = run("three_calls", path("run.json"));
  EXPECT_TRUE(happened.how.exited_with(0)) << happened.out;
  ASSERT_TRUE(std::filesystem::exists(path("run.json"))) << "at once, not a moment later";
  const std::string all = read_file(path("run.json"));
  const std::string json = calls_of(all);
  EXPECT_EQ(count(json, "\"finished\":true"), 3U);
  EXPECT_EQ(count(json, "\"verb\":\"map\""), 2U);
  EXPECT_EQ(count(json, "\"verb\":\"try_map\""), 1U);
  EXPECT_EQ(count(json, "\"way\":\"serial\""), 1U);
  EXPECT_EQ(count(json, "\"timeline\":null"), 0U) << "timelines are part of it";
  EXPECT_EQ(count(json, "\"advice\":\"\""), 0U) << "and what to do next";
  const std::string totals = totals_of(all);
  EXPECT_EQ(count(totals, "\"verb\":\"map, try_map\""), 1U);
  EXPECT_EQ(count(totals, "\"calls\":2"), 1U);
  EXPECT_EQ(count(totals, "\"calls\":1"), 1U) << "of the loop";
  EXPECT_EQ(count(totals, "\"way\":"), 2U) << "one a pool";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path("")), {}), 1) << "and nothing lies beside it";
}

TEST_F(reporter, writes_the_form_that_the_name_ends_in) {
  EXPECT_TRUE(run("three_calls", path("run.trace")).how.exited_with(0));
  EXPECT_NE(read_file(path("run.trace")).find("traceEvents"), std::string::npos);
  EXPECT_TRUE(run("three_calls", path("run.html")).how.exited_with(0));
  EXPECT_NE(read_file(path("run.html")).find("<html"), std::string::npos);
}

TEST_F(reporter, writes_text_to_standard_output) {
  const auto happened = run("three_calls", "-");
  EXPECT_TRUE(happened.how.exited_with(0));
  EXPECT_EQ(count(happened.out, "map: 10 slices in"), 1U) << happened.out;
  EXPECT_EQ(count(happened.out, "try_map: 20 slices in"), 1U);
  EXPECT_EQ(count(happened.out, "\nmap: 30 slices in"), 1U);
  EXPECT_EQ(count(happened.out, "\nnext: "), 4U);
  EXPECT_EQ(count(happened.out, "2 calls of map, try_map: 30 slices in"), 1U);
  EXPECT_LT(happened.out.find("2 calls of map"), happened.out.find("map: 10 slices in")) << "all of it first";
}

TEST_F(reporter, tells_what_a_killed_program_had) {
  const auto happened = run("killed_half_way", path("run.json"));
  EXPECT_TRUE(happened.how.killed_by(SIGKILL)) << happened.out;
  const std::string all = read_file(path("run.json"));
  const std::string json = calls_of(all);
  EXPECT_EQ(count(totals_of(all), "\"finished\":false"), 1U) << "nor is the total finished";
  EXPECT_EQ(count(json, "\"finished\":true"), 1U);
  EXPECT_EQ(count(json, "\"finished\":false"), 1U);
  EXPECT_GE(count(json, "\"begin_ns\""), 5U) << "the chunks whose results it had";
}

TEST_F(reporter, outlives_an_interrupted_program) {
  const auto happened = run("interrupted", path("run.json"));
  EXPECT_TRUE(happened.how.killed_by(SIGINT)) << happened.out;
  EXPECT_EQ(count(calls_of(read_file(path("run.json"))), "\"finished\":true"), 1U);
}

TEST_F(reporter, leaves_out_what_workers_and_children_call) {
  const auto happened = run("calls_of_others", path("run.json"));
  EXPECT_TRUE(happened.how.exited_with(0)) << happened.out;
  const std::string json = calls_of(read_file(path("run.json")));
  EXPECT_EQ(count(json, "\"finished\""), 1U);
  EXPECT_EQ(count(json, "\"way\":\"snapshot\""), 1U);
}

TEST_F(reporter, is_no_child_that_the_program_could_wait_for) {
  const auto happened = run("waits_for_all_children", path("run.json"));
  EXPECT_TRUE(happened.how.exited_with(0)) << happened.out;
}

TEST_F(reporter, says_in_one_sentence_why_there_is_none) {
  const auto unknown = run("three_calls", path("run.pdf"));
  EXPECT_TRUE(unknown.how.exited_with(0));
  EXPECT_EQ(count(unknown.out, "FORKFUL_REPORT"), 1U) << unknown.out;
  EXPECT_NE(unknown.out.find("a report is written to a file that ends in .html, .json or .trace, or to - as text"),
            std::string::npos)
      << unknown.out;
  const auto unwritable = run("three_calls", path("nowhere/run.json"));
  EXPECT_TRUE(unwritable.how.exited_with(0));
  EXPECT_EQ(count(unwritable.out, "this file cannot be written; the program goes on without a report"), 1U)
      << unwritable.out;
}

TEST_F(reporter, says_that_the_report_could_not_be_written) {
  const auto full = run("writes_to_a_full_disk", "-");
  EXPECT_TRUE(full.how.exited_with(0)) << full.out;
  EXPECT_EQ(count(full.out, "forkful: the report could not be written"), 1U) << full.out;
  std::filesystem::create_directory(path("gone"));
  const auto gone = run("loses_its_folder", path("gone/run.json"));
  EXPECT_TRUE(gone.how.exited_with(0)) << gone.out;
  EXPECT_EQ(count(gone.out, "forkful: the report could not be written"), 1U) << gone.out;
  EXPECT_EQ(count(run("three_calls", path("run.json")).out, "could not be written"), 0U);
}

}  // namespace
