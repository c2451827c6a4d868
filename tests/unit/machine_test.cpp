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
#include <forkful/thread_pool.hpp>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
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

TEST(machine, its_text_reads_back_the_same) {
  const machine kept = some_machine();
  const auto read = machine_from(as_text(kept, some_key), some_key);
  ASSERT_TRUE(read);
  EXPECT_EQ(as_text(*read, some_key), as_text(kept, some_key));
  EXPECT_EQ(read->processes.wake, kept.processes.wake);
  EXPECT_EQ(read->threads.call, kept.threads.call);
  EXPECT_EQ(read->fork_per_byte, kept.fork_per_byte);
}

TEST(machine, the_text_of_another_boot_machine_or_build_is_refused) {
  const std::string text = as_text(some_machine(), some_key);
  EXPECT_FALSE(machine_from(text, {"another", 4, "0.1.0"}));
  EXPECT_FALSE(machine_from(text, {"1f0c", 2, "0.1.0"}));
  EXPECT_FALSE(machine_from(text, {"1f0c", 4, "0.2.0"}));
  std::string newer = text;
  newer.replace(newer.find("\"format\": ") + 10, 1, "9");
  EXPECT_FALSE(machine_from(newer, some_key));
}

TEST(machine, garbage_is_refused) {
  const std::string text = as_text(some_machine(), some_key);
  for (std::size_t length = 0; length + 2 < text.size(); ++length) {
    EXPECT_FALSE(machine_from(text.substr(0, length), some_key)) << "truncated to " << length;
  }
  for (const char* garbage : {"[]", "null", "42", "{}", "\xff\xfe", R"({"format": 2})", R"({"format": "2"})"}) {
    EXPECT_FALSE(machine_from(garbage, some_key)) << garbage;
  }
  std::string words = text;
  words.replace(words.find("0.0003"), 6, "\"fast\"");
  EXPECT_FALSE(machine_from(words, some_key));
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
      EXPECT_FALSE(machine_from(as_text(made, some_key), some_key)) << absurd;
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

TEST(machine, what_a_large_process_or_noise_has_blurred_is_not_worth_keeping) {
  machine made = some_machine();
  EXPECT_TRUE(worth_keeping(made, 10'000'000));
  EXPECT_FALSE(worth_keeping(made, 1'000'000'000)) << "its fork takes 16 ms, and an empty one's is 0.3 ms";
  made.spread = 0.9;
  EXPECT_FALSE(worth_keeping(made, 0));
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

TEST_F(machine_cache, what_was_measured_is_kept_in_one_file_and_read_again) {
  EXPECT_EQ(machine_file().rfind(folder_ + "/forkful/machine-", 0), 0U) << machine_file();
  EXPECT_FALSE(cached_machine());
  cache_machine(some_machine_here());
  ASSERT_TRUE(cached_machine());
  const std::string text = contents(machine_file());
  EXPECT_EQ(as_text(*cached_machine()), as_text(*cached_machine()));
  EXPECT_NE(text.find("\"boot\""), std::string::npos);
  const std::filesystem::directory_iterator files(folder_ + "/forkful");
  EXPECT_EQ(std::distance(files, {}), 1) << "no half-written file beside it";

  std::string figure = "\"page_fault\": ";
  std::string changed = text;
  const auto begin = changed.find(figure) + figure.size();
  changed.replace(begin, changed.find(',', begin) - begin, "0.000123");
  write(machine_file(), changed);
  ASSERT_TRUE(cached_machine());
  EXPECT_EQ(cached_machine()->page_fault, 0.000123) << "the file is what is believed";
}

TEST_F(machine_cache, a_file_that_does_not_fit_is_no_machine) {
  cache_machine(some_machine_here());
  const std::string good = contents(machine_file());
  for (const std::string key : {"\"boot\": \"", "\"build\": \""}) {
    std::string other = good;
    other.insert(other.find(key) + key.size(), "x");
    write(machine_file(), other);
    EXPECT_FALSE(cached_machine()) << other;
  }
  write(machine_file(), good.substr(0, good.size() / 2));
  EXPECT_FALSE(cached_machine());
  write(machine_file(), "");
  EXPECT_FALSE(cached_machine());
  write(machine_file(), good);
  EXPECT_TRUE(cached_machine());
}

TEST_F(machine_cache, what_is_measured_again_is_kept_unless_it_is_blurred) {
  const machine found = measure_again();
  const std::optional<machine> kept = cached_machine();
  ASSERT_EQ(kept.has_value(), worth_keeping(found, private_memory()));
  if (kept) {
    EXPECT_EQ(as_text(*kept), as_text(found));
  }
}

TEST_F(machine_cache, a_folder_that_cannot_be_written_costs_nothing_but_the_memory) {
  write(folder_ + "/file", "");
  setenv("XDG_CACHE_HOME", (folder_ + "/file").c_str(), 1);  // no folder can be made in it, not even by root
  EXPECT_TRUE(plausible(measure_again()));
  EXPECT_FALSE(cached_machine());
}

TEST_F(machine_cache, without_an_absolute_folder_there_is_no_file) {
  const std::string home = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
  setenv("XDG_CACHE_HOME", "relative", 1);
  setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(machine_file().rfind("/home/somebody/.cache/forkful/machine-", 0), 0U) << machine_file();
  unsetenv("HOME");
  EXPECT_EQ(machine_file(), "");
  EXPECT_FALSE(cached_machine());
  if (!home.empty()) setenv("HOME", home.c_str(), 1);
}

TEST_F(machine_cache, this_machine_is_measured_once) {
  const machine& first = this_machine();
  EXPECT_TRUE(plausible(first));
  std::filesystem::remove_all(folder_ + "/forkful");
  EXPECT_EQ(&this_machine(), &first);
  EXPECT_FALSE(cached_machine()) << "the second look wrote nothing";
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
