// forkful doctor: what it prints at a terminal and elsewhere, for programs, and on machines with narrow limits.
#include <sys/resource.h>

#include <cctype>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "advice/machine.hpp"
#include "cli/baseline.hpp"
#include "cli/program.hpp"
#include "os/sanitizer.hpp"
#include "support/some_machine.hpp"

namespace forkful_tests {
namespace {

using forkful::detail::machine;
using nlohmann::json;

// A folder for the stored machine, instead of the user's.
class doctor : public testing::Test {
 protected:
  doctor() {
    std::string name = testing::TempDir() + "forkful_doctor_XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~doctor() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] words cache() const { return {"XDG_CACHE_HOME=" + folder_}; }

  // Under `ulimit -n`, which is set where it limits no other process.
  [[nodiscard]] ran with_open_files(rlim_t most, const std::string& messages = "/err") const {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      std::freopen((folder_ + "/out").c_str(), "a", stdout);
      std::freopen((folder_ + messages).c_str(), "a", stderr);
      const rlimit few{most, most};
      setrlimit(RLIMIT_NOFILE, &few);
      become_program({"doctor"}, cache());
    }
    const int code = exit_code_of(child);
    const auto contents = [&](const char* name) {
      std::ifstream file(folder_ + name);
      return std::string(std::istreambuf_iterator<char>(file), {});
    };
    return {code, contents("/out"), contents("/err")};
  }

  // As if it had just been measured. What this test is linked with has breakpoints,
  // the program has them only where sanitizers are: for one without, that would be another build's machine.
  void remember_a_machine(double disturbance = 0) const {
    ASSERT_EQ(setenv("XDG_CACHE_HOME", folder_.c_str(), 1), 0);
    machine one = some_machine_here();
    one.disturbance = disturbance;
    one.taken = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    forkful::detail::cache_machine(one);
    std::string path = forkful::detail::machine_file();
    std::ifstream file(path);
    std::string text(std::istreambuf_iterator<char>(file), {});
    if (!forkful::detail::sanitized) {
      for (std::string* const where : {&path, &text}) {
        const auto at = where->find("breakpoints");
        ASSERT_NE(at, std::string::npos) << *where;
        where->erase(at - 1, 1 + std::string("breakpoints").size());
      }
    }
    std::ofstream(path) << text;
  }

  std::string folder_;
};

TEST_F(doctor, tells_costs_then_limits_then_what_they_mean_and_what_to_do_next) {
  const ran said = run({"doctor"}, cache());
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(said.err, "");
  EXPECT_TRUE(said.out.starts_with("This machine: ")) << said.out;
  const std::size_t costs = said.out.find("\nWhat going parallel costs ");
  const std::size_t limits = said.out.find("\nWhat there is to use\n");
  const std::size_t next = said.out.find("\nnext: ");
  ASSERT_NE(costs, std::string::npos) << said.out;
  ASSERT_NE(limits, std::string::npos) << said.out;
  ASSERT_NE(next, std::string::npos) << said.out;
  EXPECT_LT(costs, limits);
  EXPECT_LT(limits, next);
  const std::size_t means = said.out.find("\nWhat that means\n");
  if (means != std::string::npos) {
    EXPECT_LT(limits, means);
    EXPECT_LT(means, next);
  }
  for (const std::string& line : lines_of(said.out)) EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(doctor, remembers_until_it_is_asked_to_measure_again) {
  remember_a_machine();
  // The time of the measurement, and nothing about how much measurements differ now: that was not measured.
  const std::string remembered = run({"doctor"}, cache()).out;
  EXPECT_TRUE(std::regex_search(
      remembered, std::regex(R"(Remembered since it was measured on \d{4}-\d\d-\d\d\s+at\s+\d\d:\d\d\.)")))
      << remembered;
  EXPECT_EQ(remembered.find("repeated measurements"), std::string::npos) << remembered;
  const std::string now = run({"doctor", "--again"}, cache()).out;
  EXPECT_NE(now.find("Measured now, in"), std::string::npos) << now;
  EXPECT_NE(now.find("repeated measurements"), std::string::npos) << now;
}

TEST_F(doctor, says_when_its_figures_are_doubtful) {
  remember_a_machine(0.79);
  const std::string said = run({"doctor"}, cache()).out;
  EXPECT_TRUE(std::regex_search(
      said, std::regex(R"(! Other programs took 79 % of the cores on \d{4}-\d\d-\d\d\s+at\s+\d\d:\d\d\.)")))
      << said;
  EXPECT_NE(said.find("The figures above are doubtful"), std::string::npos) << said;
  const std::string advised = run({"advise", "--slices", "100", "--time", "1ms"}, cache()).out;
  EXPECT_NE(advised.find("\nin doubt:     the machine was measured on "), std::string::npos) << advised;
  for (const std::string& line : lines_of(advised)) EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(doctor, gives_programs_everything) {
  const ran said = run({"doctor", "--json"}, cache());
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_EQ(said.err, "");
  const json all = json::parse(said.out);
  for (const char* figure : {"crowded_wake", "fork_start", "fork_per_byte", "template_start", "page_fault",
                             "copy_on_write", "copy_rate", "copy_rate_all", "fresh_copy_rate"}) {
    EXPECT_GT(all.at("machine").at(figure).get<double>(), 0) << figure;
  }
  for (const char* figure : {"call", "wake", "rouse", "hand_out", "claim"}) {
    for (const char* way : {"threads", "processes"}) {
      const double cost = all.at("machine").at(way).at(figure).get<double>();
      EXPECT_TRUE(cost > 0 || (cost == 0 && (std::string(figure) == "hand_out" || std::string(figure) == "rouse")))
          << way << " " << figure;
    }
  }
  EXPECT_GE(all.at("limits").at("online_cpus").get<unsigned>(), all.at("machine").at("cpus").get<unsigned>());
  for (const char* limit : {"processes", "open_files", "address_space_bytes", "file_size_bytes", "locked_memory_bytes",
                            "core_bytes", "group_memory_left_bytes", "cpu_quota", "shm_bytes"}) {
    const json& value = all.at("limits").at(limit);
    EXPECT_TRUE(value.is_number() || value.is_null()) << limit << " is " << value;
  }
  for (const json& each : all.at("findings")) {
    for (const char* part : {"weight", "what", "means", "todo"}) EXPECT_TRUE(each.at(part).is_string()) << part;
  }
  EXPECT_TRUE(all.at("next").is_string());
}

TEST_F(doctor, finds_a_limit_and_says_it_last) {
  const ran said = with_open_files(20);
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_NE(said.out.find("X `ulimit -n` allows 20 open files."), std::string::npos) << said.out;
  EXPECT_TRUE(said.out.ends_with("next: run `ulimit -n 1024` before the program\n")) << said.out;
}

// Enough to load libraries and read files, not to make a pool.
rlim_t too_few() {
  const int next = dup(STDIN_FILENO);
  close(next);
  return static_cast<rlim_t>(next) + 2;
}

TEST_F(doctor, says_why_it_cannot_measure_and_the_rest_all_the_same) {
  const ran said = with_open_files(too_few());
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_TRUE(said.err.starts_with("forkful: start_failed: ")) << said.err;
  EXPECT_TRUE(said.err.ends_with("(see forkful explain start_failed)\n")) << said.err;
  EXPECT_EQ(said.out.find("What going parallel costs"), std::string::npos);
  EXPECT_NE(said.out.find("What there is to use"), std::string::npos);
  EXPECT_NE(said.out.find("next: "), std::string::npos);
}

TEST_F(doctor, says_something_before_it_measures) {
  const std::string said =
      with_open_files(too_few(), "/out").out;  // where measuring fails, the sentence comes after the attempt
  const std::size_t begin = said.find("This machine: ");
  const std::size_t tried = said.find("forkful: start_failed: ");
  ASSERT_NE(tried, std::string::npos) << said;
  EXPECT_LT(begin, tried) << said;
}

TEST_F(doctor, colour_only_adds_to_the_text) {
  at_terminal terminal({"doctor"}, cache());
  EXPECT_EQ(terminal.end(), 0);
  EXPECT_NE(terminal.said().find("\033[1mWhat there is to use\033[0m"), std::string::npos);
  words plain = cache();
  plain.emplace_back("NO_COLOR=1");
  at_terminal colourless({"doctor"}, plain);
  EXPECT_EQ(colourless.end(), 0);
  EXPECT_EQ(colourless.said().find('\033'), std::string::npos);
}

TEST_F(doctor, help_begins_with_examples) { expect_baseline("help_doctor", run({"doctor", "--help"}).out); }

}  // namespace
}  // namespace forkful_tests
