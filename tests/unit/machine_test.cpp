// What is measured about a machine, how it is stored, and when it is measured anew. No timing is asserted: only what
// noise cannot change.
#include "advice/machine.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <forkful/process_pool.hpp>
#include <forkful/thread_pool.hpp>
#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "advice/machine_text.hpp"
#include "advice/samples.hpp"
#include "os/private_pages.hpp"
#include "support/in_child.hpp"
#include "support/some_machine.hpp"

namespace {

using namespace forkful::detail;
using forkful_tests::some_machine;
using forkful_tests::some_machine_here;

const machine_key some_key{"1f0c", 4, "0.1.0"};

TEST(samples, median_and_spread_leave_out_the_first) {
  const samples five({1000, 1, 3, 2, 4, 5});
  EXPECT_EQ(five.median(), 3);
  EXPECT_DOUBLE_EQ(five.spread(), (4 - 2) / 2.0 / 3);
  EXPECT_EQ(samples({7.0}).median(), 7) << "but one alone is what there is";
  EXPECT_EQ(samples({7.0}).spread(), 0);
  EXPECT_DOUBLE_EQ(samples({0, 1, 2, 3, 4}).median(), 2.5);
}

TEST(samples, a_measurement_is_made_once_even_without_time) {
  pace measuring;
  int made = 0;
  EXPECT_EQ(measuring.repeat(10, -1, [&] { return ++made; }).median(), 1);
  EXPECT_EQ(made, 1);
  measuring.repeat(10, 1e6, [&] { return ++made; });
  EXPECT_EQ(made, 11) << "and never more often than asked for";
}

// Two measurements, and something that calls showed.
machine_history some_history() {
  machine_history made;
  made.add(some_machine());
  machine later = some_machine();
  later.taken += 100;
  later.disturbance = 0.5;
  later.fork_start = 5e-4;
  made.add(later);
  shown_figures shown;
  shown.processes.call = 1.25e-6;
  shown.copy_rate = 1.5e10;
  made.add(shown);
  return made;
}

TEST(machine, its_text_reads_back_the_same) {
  const machine_history kept = some_history();
  const auto read = history_from(as_text(kept, some_key), some_key);
  ASSERT_TRUE(read);
  EXPECT_EQ(as_text(*read, some_key), as_text(kept, some_key));
  ASSERT_EQ(read->measured.size(), 2U);
  EXPECT_EQ(read->measured[0].processes.wake, some_machine().processes.wake);
  EXPECT_EQ(read->measured[0].threads.call, some_machine().threads.call);
  EXPECT_EQ(read->measured[0].fork_per_byte, some_machine().fork_per_byte);
  EXPECT_EQ(read->measured[0].taken, some_machine().taken);
  EXPECT_EQ(read->measured[1].disturbance, 0.5);
  EXPECT_EQ(read->shown.processes.call, 1.25e-6);
  const auto alone = machine_from(as_text(some_machine()));
  ASSERT_TRUE(alone);
  EXPECT_EQ(as_text(*alone), as_text(some_machine()));
}

TEST(machine, figures_of_an_older_doctor_have_no_date) {
  auto old = nlohmann::json::parse(as_text(some_machine()));
  old.erase("taken");
  old.erase("disturbance");
  const auto read = machine_from(old.dump());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->taken, 0);
  EXPECT_EQ(read->fork_start, some_machine().fork_start);
}

TEST(machine, the_text_of_another_boot_machine_or_build_is_refused) {
  const std::string text = as_text(some_history(), some_key);
  EXPECT_FALSE(history_from(text, {"another", 4, "0.1.0"}));
  EXPECT_FALSE(history_from(text, {"1f0c", 2, "0.1.0"}));
  EXPECT_FALSE(history_from(text, {"1f0c", 4, "0.2.0"}));
  for (const char* other : {"3", "5"}) {
    std::string changed = text;
    changed.replace(changed.find("\"format\": ") + 10, 1, other);
    EXPECT_FALSE(history_from(changed, some_key)) << "format " << other;
  }
}

TEST(machine, garbage_is_refused) {
  const std::string text = as_text(some_history(), some_key);
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    EXPECT_FALSE(history_from(text.substr(0, length), some_key)) << "truncated to " << length;
  }
  for (const char* garbage : {"[]", "null", "42", "{}", "\xff\xfe", R"({"format": 4})", R"({"format": "4"})"}) {
    EXPECT_FALSE(history_from(garbage, some_key)) << garbage;
    EXPECT_FALSE(machine_from(garbage)) << garbage;
  }
  std::string words = text;
  words.replace(words.find("0.0003"), 6, "\"fast\"");
  EXPECT_FALSE(history_from(words, some_key));
  auto none = nlohmann::json::parse(text);
  none["measured"] = nlohmann::json::array();
  EXPECT_FALSE(history_from(none.dump(), some_key)) << "no measurement";
  auto absurd = nlohmann::json::parse(text);
  absurd["shown_by_calls"]["copy_rate"] = 1e30;
  EXPECT_FALSE(history_from(absurd.dump(), some_key));
}

TEST(machine, a_figure_that_no_machine_has_is_refused) {
  const std::vector<double machine::*> figures{
      &machine::crowded_wake,   &machine::fork_start,    &machine::fork_per_byte,
      &machine::template_start, &machine::page_fault,    &machine::copy_on_write,
      &machine::copy_rate,      &machine::copy_rate_all, &machine::fresh_copy_rate};
  ASSERT_TRUE(plausible(some_machine()));
  for (const auto figure : figures) {
    for (const double absurd : {-1.0, 0.0, 1e30, std::nan(""), std::numeric_limits<double>::infinity()}) {
      machine made = some_machine();
      made.*figure = absurd;
      EXPECT_FALSE(plausible(made)) << absurd;
      EXPECT_FALSE(machine_from(as_text(made))) << absurd;
    }
  }
  for (const auto way : {&machine::threads, &machine::processes}) {
    for (const auto figure : {&way_costs::call, &way_costs::wake, &way_costs::claim}) {
      machine made = some_machine();
      made.*way.*figure = -1e-6;
      EXPECT_FALSE(plausible(made));
      made.*way.*figure = 0;
      EXPECT_FALSE(plausible(made));
    }
  }
}

TEST(machine, what_a_large_process_has_blurred_is_not_worth_keeping) {
  EXPECT_TRUE(worth_keeping(some_machine(), 10'000'000));
  EXPECT_FALSE(worth_keeping(some_machine(), 1'000'000'000)) << "its fork takes 16 ms, and an empty one's is 0.3 ms";
}

// A folder for the cache, instead of the user's.
class machine_cache : public testing::Test {
 protected:
  machine_cache() {
    std::string name = testing::TempDir() + "forkful_machine_XXXXXX";
    folder_ = mkdtemp(name.data());
    const char* const before = std::getenv("XDG_CACHE_HOME");
    before_ = before == nullptr ? "" : before;
    setenv("XDG_CACHE_HOME", folder_.c_str(), 1);
  }
  ~machine_cache() override {
    if (before_.empty()) {
      unsetenv("XDG_CACHE_HOME");
    } else {
      setenv("XDG_CACHE_HOME", before_.c_str(), 1);
    }
    std::filesystem::remove_all(folder_);
  }
  void SetUp() override {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "ThreadSanitizer bears no threads in a forked process, and measuring takes some";
#endif
  }
  static double now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  static std::string contents(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }

  std::string folder_;
  std::string before_;
};

TEST_F(machine_cache, every_figure_is_measured_and_nothing_is_left_behind) {
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto mappings = [] {
    std::ifstream file("/proc/self/maps");
    return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  };
  machine found = measure_machine();
  const auto descriptors_before = descriptors();
  const auto mappings_before = mappings();
  for (int i = 0; i != 4; ++i) found = measure_machine();
  EXPECT_TRUE(plausible(found)) << as_text(found);
  EXPECT_GE(found.cpus, 1U);
  EXPECT_EQ(descriptors(), descriptors_before);
  EXPECT_LE(mappings(), mappings_before + 2) << "but the heap may have grown";
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG | __WALL), -1) << "a child is left";
  EXPECT_TRUE(std::filesystem::is_empty(folder_)) << "measuring alone keeps nothing";
}

TEST_F(machine_cache, a_program_with_threads_is_no_obstacle) {
  const std::jthread other([](const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  forkful::thread_pool pool{2};
  EXPECT_EQ(pool.map(forkful::indices(3), [](std::size_t i) { return i; }), (std::vector<std::size_t>{0, 1, 2}));
  forkful_tests::let_threads_settle();
  EXPECT_TRUE(plausible(measure_machine()));
  EXPECT_EQ(pool.map(forkful::indices(3), [](std::size_t i) { return i; }), (std::vector<std::size_t>{0, 1, 2}));
}

TEST_F(machine_cache, measuring_leaves_no_thread) {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
  };
  if (threads() != 1) GTEST_SKIP() << "another test has left some";
  measure_machine();
  EXPECT_EQ(threads(), 1);
}

TEST_F(machine_cache, a_measurement_knows_when_it_was_taken) {
  const double before = now();
  const machine found = measure_machine();
  EXPECT_GE(found.taken, before);
  EXPECT_LE(found.taken, now());
  EXPECT_GE(found.disturbance, 0);
  EXPECT_LE(found.disturbance, 1);
}

TEST_F(machine_cache, what_was_measured_is_kept_in_one_file_and_read_again) {
  EXPECT_EQ(machine_file().rfind(folder_ + "/forkful/machine-", 0), 0U) << machine_file();
  EXPECT_TRUE(known_history().measured.empty());
  cache_machine(some_machine_here());
  ASSERT_EQ(known_history().measured.size(), 1U);
  EXPECT_NE(contents(machine_file()).find("\"boot\""), std::string::npos);
  machine later = some_machine_here();
  later.taken += 100;
  cache_machine(later);
  EXPECT_EQ(known_history().measured.size(), 2U) << "it is added";
  const std::filesystem::directory_iterator files(folder_ + "/forkful");
  EXPECT_EQ(std::distance(files, {}), 1) << "no half-written file beside it";

  auto changed = nlohmann::json::parse(contents(machine_file()));
  for (auto& each : changed["measured"]) each["page_fault"] = 0.000123;
  write(machine_file(), changed.dump());
  EXPECT_EQ(best_of(known_history()).page_fault, 0.000123) << "the file is what is believed";
}

TEST_F(machine_cache, a_file_that_does_not_fit_is_no_machine) {
  cache_machine(some_machine_here());
  const std::string good = contents(machine_file());
  for (const std::string key : {"\"boot\": \"", "\"build\": \""}) {
    std::string other = good;
    other.insert(other.find(key) + key.size(), "x");
    write(machine_file(), other);
    EXPECT_TRUE(known_history().measured.empty()) << other;
  }
  write(machine_file(), good.substr(0, good.size() / 2));
  EXPECT_TRUE(known_history().measured.empty());
  write(machine_file(), "");
  EXPECT_TRUE(known_history().measured.empty());
  write(machine_file(), good);
  EXPECT_EQ(known_history().measured.size(), 1U);
}

TEST_F(machine_cache, writers_at_the_same_time_leave_one_whole_file) {
  std::vector<pid_t> children;
  for (int i = 0; i != 4; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (int k = 0; k != 50; ++k) cache_machine(some_machine_here());
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t each : children) waitpid(each, nullptr, 0);
  EXPECT_FALSE(known_history().measured.empty());
  EXPECT_LE(known_history().measured.size(), 6U);
  const std::filesystem::directory_iterator files(folder_ + "/forkful");
  EXPECT_EQ(std::distance(files, {}), 1) << "no half-written file beside it";
}

TEST_F(machine_cache, what_is_measured_again_is_added_or_in_quiet_takes_the_place_of_all) {
  machine disturbed = some_machine_here();
  disturbed.disturbance = 1;
  cache_machine(disturbed);
  measure_again();
  const auto all = known_history().measured;
  ASSERT_FALSE(all.empty());
  EXPECT_GT(all.back().taken, disturbed.taken);
  EXPECT_EQ(all.size(), doubtful(all.back()) ? 2U : 1U);
}

TEST_F(machine_cache, a_folder_that_cannot_be_written_costs_nothing_but_the_memory) {
  write(folder_ + "/file", "");
  setenv("XDG_CACHE_HOME", (folder_ + "/file").c_str(), 1);  // no folder can be made in it, not even by root
  EXPECT_TRUE(plausible(measure_again()));
  EXPECT_FALSE(std::filesystem::exists(machine_file()));
  EXPECT_FALSE(known_history().measured.empty()) << "this process still knows";
}

TEST_F(machine_cache, without_an_absolute_folder_there_is_no_file) {
  const std::string home = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
  setenv("XDG_CACHE_HOME", "relative", 1);
  setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(machine_file().rfind("/home/somebody/.cache/forkful/machine-", 0), 0U) << machine_file();
  unsetenv("HOME");
  EXPECT_EQ(machine_file(), "");
  if (!home.empty()) setenv("HOME", home.c_str(), 1);
}

TEST_F(machine_cache, this_machine_measures_where_there_is_nothing_and_not_again_at_once) {
  const double before = now();
  EXPECT_TRUE(plausible(this_machine()));
  const auto known = known_history().measured;
  ASSERT_FALSE(known.empty());
  // Unless an earlier test has measured, in this very process.
  if (known.size() == 1 && known[0].taken >= before) {
    EXPECT_EQ(std::filesystem::exists(machine_file()), worth_keeping(known[0], private_memory()));
  }
  std::filesystem::remove_all(folder_ + "/forkful");
  EXPECT_TRUE(plausible(this_machine()));
  EXPECT_EQ(known_history().measured.size(), known.size());
  EXPECT_FALSE(std::filesystem::exists(machine_file())) << "the second look wrote nothing";
}

// The quiet in which it would be measured anew by itself cannot be made here; machine_history_test has when that is.
TEST_F(machine_cache, what_this_process_s_calls_showed_is_written_for_others) {
  EXPECT_TRUE(forkful_tests::in_child([&] {
                machine poisoned = some_machine_here();
                poisoned.taken = now();
                poisoned.processes.call = 1;
                cache_machine(poisoned);
                forkful::process_pool pool({.workers = 1, .start = forkful::start_method::fork});
                for (int i = 0; i != 64; ++i) pool.for_each(forkful::indices(1), [](std::size_t) {});
                if (this_machine().processes.call >= 1) return 1;
                const auto file = nlohmann::json::parse(contents(machine_file()));
                return file.at("shown_by_calls").at("processes").at("call").get<double>() > 0 ? 0 : 2;
              }).exited_with(0));
}

TEST(machine, private_memory_grows_with_what_is_touched) {
  const std::size_t before = private_memory();
  ASSERT_GT(before, 0U);
  const private_pages large(std::size_t{32} << 20);
  EXPECT_LT(private_memory(), before + (std::size_t{8} << 20)) << "what is mapped does not count";
  std::fill(large.bytes().begin(), large.bytes().end(), std::byte{1});
  EXPECT_GT(private_memory(), before + (std::size_t{24} << 20));
}

}  // namespace
