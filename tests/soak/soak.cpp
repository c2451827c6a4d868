// The stand-alone soak program of `./dev soak [MINUTES]`: kills, killed parents, pools without number, and an arena under
// sustained load. Figures are printed; wrong results fail, slow ones do not.
//
// FORKFUL_SOAK_MINUTES gives each stage its share of that time; without it each goes on until it has reached its goal.
// Kills come from tests/faults/nemesis.hpp, pools from belongings.hpp, killed parents from killed_parents.hpp.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "faults/belongings.hpp"
#include "faults/killed_parents.hpp"
#include "faults/nemesis.hpp"
#include "os/cpu.hpp"

namespace {

using namespace forkful_tests;
using forkful::detail::now_ns;

// How long a stage goes on: for its share of the time given, or until `goal` things are done; but not before `least` are.
class stage {
 public:
  stage(double share, std::size_t goal, std::size_t least = 1) : goal_(goal), least_(least) {
    const char* const minutes = std::getenv("FORKFUL_SOAK_MINUTES");
    if (minutes != nullptr) end_ns_ = now_ns() + static_cast<std::uint64_t>(std::atof(minutes) * 60e9 * share);
    alarm(minutes != nullptr ? static_cast<unsigned>(60 + std::atof(minutes) * 60) : 3600);  // a hang is a failure
    std::fflush(stdout);
  }
  ~stage() { alarm(0); }
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;
  [[nodiscard]] bool goes_on(std::size_t done) const {
    return done < least_ || (end_ns_ != 0 ? now_ns() < end_ns_ : done < goal_);
  }
  [[nodiscard]] std::size_t goal() const { return goal_; }

 private:
  std::size_t goal_;
  std::size_t least_;
  std::uint64_t end_ns_ = 0;
};

// Flushed, as in every stage: a forked child would print what is held back once more.
template <class... T>
void print(const char* format, T... values) {
  std::printf(format, values...);
  std::fflush(stdout);
}

double percentile(std::vector<double> values, double which) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(which * static_cast<double>(values.size() - 1))];
}

// ---- R1 ----

TEST(soak, random_kills_and_stops) {
  const stage now(0.35, 10'000);
  std::vector<std::string> slices_in;
  for (std::size_t i = 0; i < slices; ++i) slices_in.push_back(cake(i));
  std::mt19937 random(std::random_device{}());
  const std::array verbs{mapped, updated, tried, in_place_with_attempts, strings_in_place, shared_results, mapped_into};
  std::size_t deaths = 0;
  std::size_t lost = 0;
  std::size_t calls = 0;
  const nemesis hunter(static_cast<unsigned>(random()), true);
  while (now.goes_on(deaths) && !HasFailure()) {
    process_pool pool{1 + static_cast<unsigned>(random() % 4)};
    for (int i = 0; i != 20; ++i, ++calls) {
      std::shuffle(slices_in.begin(), slices_in.end(), random);
      if (random() % 8 == 0) {
        deaths += photographed(slices_in);
      } else {
        lost += verbs[random() % verbs.size()](pool, slices_in);
        deaths += pool.report().deaths;
      }
    }
  }
  EXPECT_GT(deaths, 0U);
  EXPECT_GE(hunter.kills(), deaths);
  print(
      "R1  %zu kills and %zu stops from outside, %zu deaths noticed in %zu calls, %zu slices lost where a slice had "
      "one "
      "attempt, all others right  (goal: 10000 kills, 0 wrong, 0 hangs)\n",
      hunter.kills(), hunter.stops(), deaths, calls, lost);
}

// ---- R2 ----

std::uint64_t noticed_ns = 0;

TEST(soak, deaths_are_noticed) {
  const stage now(0.05, 2000);
  const seen_by_all<std::atomic<std::uint64_t>> died_ns;
  static std::atomic<std::uint64_t>* died = nullptr;
  died = &*died_ns;
  process_pool pool{2};
  std::vector<double> milliseconds;
  forkful::detail::breakpoint_installed = [](point where) {
    if (where == point::replace_before) noticed_ns = now_ns();
  };
  while (now.goes_on(milliseconds.size())) {
    const auto outcomes = pool.try_map(indices(8), [](std::size_t i) {
      const auto finished = churn(i);
      if (i == 5) {
        died->store(now_ns());
        raise(SIGKILL);
      }
      return finished;
    });
    EXPECT_FALSE(outcomes[5].has_value());
    EXPECT_GT(noticed_ns, died->load());
    milliseconds.push_back(static_cast<double>(noticed_ns - died->load()) / 1e6);
  }
  forkful::detail::breakpoint_installed = nullptr;
  EXPECT_FALSE(milliseconds.empty());
  print("R2  %zu deaths noticed after %.2f ms (median), %.2f ms (p99), %.2f ms (longest)  (goal: p99 <= 10 ms)\n",
        milliseconds.size(), percentile(milliseconds, 0.5), percentile(milliseconds, 0.99),
        percentile(milliseconds, 1));
}

// ---- R4 ----

class soak_parents : public killed_parents {};

TEST_F(soak_parents, are_killed_while_workers_are_busy) {
  const stage now(0.2, 1000);
  while (now.goes_on(took_.size()) && !HasFailure()) {
    round(2, [] {
      process_pool pool{2};
      pool.for_each(indices(2), run_for_ever);
    });
  }
  const auto in_time = std::count_if(took_.begin(), took_.end(), [](double ms) { return ms <= 100; });
  print(
      "R4  %zu parents killed, %zu busy workers gone after %.2f ms (median), %.2f ms (longest); %td of %zu within 100 "
      "ms  "
      "(goal: all)\n",
      took_.size(), ended_, percentile(took_, 0.5), percentile(took_, 1), in_time, took_.size());
  EXPECT_FALSE(took_.empty());
}

// ---- R5 ----

TEST(soak, pools_come_and_go) {
  tally warm_up;
  for (std::size_t round = 0; round != 120; ++round) one_pool(round, warm_up);
  const stage now(0.2, 10'000, 60);
  const belongings before;
  const std::size_t resident_before = resident_kilobytes();
  tally count;
  while (now.goes_on(count.pools)) one_pool(count.pools, count);
  const belongings after;
  EXPECT_GT(count.crashes, 0U);
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_TRUE(after.children.empty());
  EXPECT_FALSE(left_by(count.pools, after.shm, before.shm));
  EXPECT_FALSE(left_by(count.pools, after.tmp, before.tmp));
  print(
      "R5  %zu pools, %zu ended by exceptions, %zu of these by crashes: descriptors %zu -> %zu, children %zu, resident "
      "%zu kB "
      "-> %zu kB  (goal: 0 more)\n",
      count.pools, count.exceptions, count.crashes, before.descriptors.size(), after.descriptors.size(),
      after.children.size(), resident_before, resident_kilobytes());
}

// ---- The arena under sustained load ----

// Memory of the arena that exists, in kilobytes: the share of each process in the pages it has mapped, summed.
std::size_t arena_kilobytes() {
  auto processes = children_of(getpid());
  processes.push_back(getpid());
  std::size_t sum = 0;
  for (const pid_t process : processes) {
    std::ifstream file("/proc/" + std::to_string(process) + "/smaps_rollup");
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("Pss_Shmem:")) sum += std::stoul(line.substr(10));
  }
  return sum;
}

TEST(soak, the_arena_stays_flat) {
  const stage now(0.2, 1'000'000, 2500);
  constexpr std::size_t samples_wanted = 20;
  process_pool pool{2};
  std::mt19937 random(7);
  std::deque<std::vector<shared_vector<double>>> kept;  // freed later, in an order of its own
  std::vector<std::size_t> kilobytes;
  std::size_t calls = 0;
  const auto begin = now_ns();
  while (now.goes_on(calls)) {
    // Between 1 byte and 64 KiB a slice, every size equally likely in its order of magnitude; now and then a megabyte.
    std::vector<std::size_t> sizes(1 + random() % 12);
    for (std::size_t& size : sizes) size = std::size_t{1} << random() % 13;
    if (calls % 64 == 0) sizes[0] = 1 + random() % (1 << 20);
    if (calls % 8 == 0) {
      kept.push_back(pool.map(sizes, [](const std::size_t& size) { return shared_vector<double>(size / 8 + 1, 1.0); }));
      if (kept.size() > 40) kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(random() % kept.size()));
    } else {
      const auto finished = pool.map(sizes, [](const std::size_t& size) { return std::string(size, 'c'); });
      for (std::size_t i = 0; i != sizes.size(); ++i) ASSERT_EQ(finished[i].size(), sizes[i]);
    }
    if (++calls % 50'000 == 0 || (std::getenv("FORKFUL_SOAK_MINUTES") != nullptr && calls % 500 == 0))
      kilobytes.push_back(arena_kilobytes());
  }
  ASSERT_GE(kilobytes.size(), 4U) << "too little time to see anything";
  print("arena after every %zu calls, resident kB:", calls / kilobytes.size());
  const std::size_t step = std::max<std::size_t>(1, kilobytes.size() / samples_wanted);
  for (std::size_t i = 0; i < kilobytes.size(); i += step) print(" %zu", kilobytes[i]);
  const auto quarter = static_cast<std::ptrdiff_t>(kilobytes.size() / 4);
  const std::size_t second = *std::max_element(kilobytes.begin() + quarter, kilobytes.begin() + 2 * quarter);
  const std::size_t last = *std::max_element(kilobytes.end() - quarter, kilobytes.end());
  print("\n    %zu calls in %.0f s; most in the second quarter %zu kB, in the last %zu kB  (goal: <= 1.1 x)\n", calls,
        static_cast<double>(now_ns() - begin) / 1e9, second, last);
  // A short run is still warming up.
  if (calls >= 200'000) {
    EXPECT_LE(static_cast<double>(last), 1.1 * static_cast<double>(second)) << "the arena grows";
  }
}

}  // namespace
