// A process that kills and stops random workers at random instants, and calls of every verb, checked against serial results:
// what the ordinary test and the soak share.
//
// Each verb returns how many slices were lost where a slice had one attempt; all else that is wrong fails the test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <forkful/forkful.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "faults/killing.hpp"

namespace forkful_tests {

using forkful::indices;
using forkful::process_pool;
using forkful::shared_string;
using forkful::shared_vector;
using forkful::snapshot_pool;

// The workers that have begun a slice: each writes its process id at a place of its own.
inline const seen_by_all<std::array<std::atomic<pid_t>, 4096>> runners;
inline std::atomic<pid_t>& mark_of(pid_t process) { return (*runners)[static_cast<std::size_t>(process) % 4096]; }

// Kills children of the process that made it, but itself, until it is stopped; with `stops`, it also stops some for a while.
// A pool rightly gives up when no worker gets as far as a slice, so workers that have not begun one are spared if
// `most_in_a_row` such were killed since the last that had.
class nemesis {
 public:
  explicit nemesis(unsigned seed, bool stops = false) : seed_(seed), stops_(stops) {
    const pid_t prey = getpid();
    process_ = start_child([&] { return hunt(prey); });
  }
  ~nemesis() {
    counts_->stop = true;
    wait_for(process_);
  }
  nemesis(const nemesis&) = delete;
  nemesis& operator=(const nemesis&) = delete;
  [[nodiscard]] std::size_t kills() const { return counts_->kills.load(); }
  [[nodiscard]] std::size_t stops() const { return counts_->stops.load(); }

 private:
  struct counts {
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> kills{0};
    std::atomic<std::size_t> stops{0};
  };

  static constexpr int most_in_a_row = 2;

  int hunt(pid_t prey) const {
    std::mt19937 random(seed_);
    int beginners = 0;  // killed in a row
    while (!counts_->stop) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 8000));
      auto workers = children_of(prey);
      std::erase(workers, getpid());
      if (workers.empty()) {
        if (getppid() != prey) return 1;
        continue;
      }
      const pid_t victim = workers[random() % workers.size()];
      if (gone(victim)) continue;
      const bool has_begun = mark_of(victim) == victim;
      if (!has_begun && beginners == most_in_a_row) continue;
      if (stops_ && random() % 4 == 0 && kill(victim, SIGSTOP) == 0) {
        counts_->stops.fetch_add(1);
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
        kill(victim, SIGCONT);
      } else if (kill(victim, SIGKILL) == 0) {
        counts_->kills.fetch_add(1);
        beginners = has_begun ? 0 : beginners + 1;
      }
    }
    return 0;
  }

  unsigned seed_;
  bool stops_;
  seen_by_all<counts> counts_;
  pid_t process_ = 0;
};

// Enough work that a slice can be hit, and a result that shows whether all of it was done once.
inline std::uint64_t churn(std::uint64_t x) {
  mark_of(getpid()) = getpid();
  for (int i = 0; i < 20'000; ++i) x = x * 6364136223846793005U + 1442695040888963407U;
  return x;
}

constexpr std::size_t slices = 200;
inline const forkful::call_options stubborn{.attempts = 100};

inline std::string cake(std::size_t i) {
  return std::string(i * 7 % 300, static_cast<char>('a' + i % 26)) + std::to_string(i);
}
inline std::string run_slice(const std::string& slice) { return std::to_string(churn(slice.size())) + slice; }

inline std::size_t mapped(process_pool& pool, const std::vector<std::string>& slices_in) {
  const auto finished = pool.with(stubborn).map(slices_in, run_slice);
  EXPECT_EQ(finished.size(), slices_in.size());
  for (std::size_t i = 0; i < finished.size(); ++i) EXPECT_EQ(finished[i], run_slice(slices_in[i]));
  return 0;
}

inline std::size_t updated(process_pool& pool, const std::vector<std::string>& slices_in) {
  auto finished = slices_in;
  pool.with(stubborn).update(finished, [](std::string& slice) { slice = run_slice(slice); });
  for (std::size_t i = 0; i < finished.size(); ++i) EXPECT_EQ(finished[i], run_slice(slices_in[i]));
  return 0;
}

inline std::size_t tried(process_pool& pool, const std::vector<std::string>& slices_in) {
  const auto finished = pool.try_map(slices_in, run_slice);
  EXPECT_EQ(finished.size(), slices_in.size());
  std::size_t lost = 0;
  for (std::size_t i = 0; i < finished.size(); ++i) {
    if (finished[i]) {
      EXPECT_EQ(finished[i].value(), run_slice(slices_in[i]));
    } else {
      ++lost;
      EXPECT_EQ(finished[i].failure().signal, SIGKILL);
    }
  }
  EXPECT_LE(lost, pool.report().deaths);
  return lost;
}

inline std::size_t in_place_with_attempts(process_pool& pool, const std::vector<std::string>&) {
  shared_vector<std::uint64_t> table(slices);
  for (std::size_t i = 0; i < slices; ++i) table[i] = i;
  pool.with(stubborn).for_each(table, [](std::uint64_t& x) { x = churn(x); });
  for (std::size_t i = 0; i < slices; ++i) EXPECT_EQ(table[i], churn(i)) << i;
  return 0;
}

inline std::size_t strings_in_place(process_pool& pool, const std::vector<std::string>& slices_in) {
  shared_vector<shared_string> table(slices_in.begin(), slices_in.end());
  const auto finished = pool.try_for_each(table, [](shared_string& slice) {
    for (int i = 0; i < 5; ++i) slice += std::to_string(churn(slice.size()));
  });
  std::size_t lost = 0;
  for (std::size_t i = 0; i < slices; ++i) {
    if (!finished[i]) {
      ++lost;
      new (&table[i]) shared_string();  // half done: what it points to may be freed
      continue;
    }
    std::string expected = slices_in[i];
    for (int k = 0; k < 5; ++k) expected += std::to_string(churn(expected.size()));
    EXPECT_EQ(std::string_view(table[i]), expected);
  }
  EXPECT_LE(lost, pool.report().deaths);
  return lost;
}

inline std::size_t shared_results(process_pool& pool, const std::vector<std::string>&) {
  const auto tables = pool.with(stubborn).map(
      indices(60), [](std::size_t i) { return shared_vector<std::uint64_t>(1 + 300 * i, churn(i)); });
  for (std::size_t i = 0; i < tables.size(); ++i) {
    EXPECT_EQ(tables[i].size(), 1 + 300 * i);
    EXPECT_EQ(std::count(tables[i].begin(), tables[i].end(), churn(i)), static_cast<std::ptrdiff_t>(tables[i].size()));
  }
  return 0;
}

inline std::size_t mapped_into(process_pool& pool, const std::vector<std::string>&) {
  shared_vector<std::uint64_t> table(slices);
  pool.with(stubborn).map_into(table, indices(slices), [](std::size_t i) { return churn(i + 1); });
  for (std::size_t i = 0; i < slices; ++i) EXPECT_EQ(table[i], churn(i + 1)) << i;
  return 0;
}

// A pool of its own. Returns how many of its workers died.
inline std::size_t photographed(const std::vector<std::string>& slices_in) {
  snapshot_pool once{2};
  const auto finished =
      once.with(stubborn).map(indices(slices), [&](std::size_t i) { return run_slice(slices_in[i]); });
  for (std::size_t i = 0; i < slices; ++i) EXPECT_EQ(finished[i], run_slice(slices_in[i]));
  return once.report().deaths;
}

}  // namespace forkful_tests
