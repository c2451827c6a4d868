// Slices that a worker holds and has not begun go to another: docs/protocol.md, 20.
//
// A slice that waits for its neighbour in the same chunk comes to its end only if another worker runs that one.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <forkful/forkful.hpp>
#include <ranges>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "faults/killing.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using forkful::shared_vector;
using forkful::snapshot_pool;
using namespace forkful_tests;

// What workers have begun, for all to see.
class begun_slices {
 public:
  static constexpr std::size_t most = 1 << 14;

  void forget() const {
    for (std::atomic<unsigned>& each : *counts_) each = 0;
  }
  void begin(std::size_t slice) const { (*counts_)[slice].fetch_add(1); }
  [[nodiscard]] unsigned count(std::size_t slice) const { return (*counts_)[slice].load(); }
  void wait_for(std::size_t slice) const {
    while (count(slice) == 0) std::this_thread::yield();
  }
  void expect_each_once(std::size_t slices) const {
    for (std::size_t i = 0; i < slices; ++i) EXPECT_EQ(count(i), 1U) << i;
  }

 private:
  seen_by_all<std::array<std::atomic<unsigned>, most>> counts_;
};
const begun_slices seen;  // made before any worker

// So many that the first chunk of two workers' is slices 0 to `held - 1`.
constexpr std::size_t held = 10;
constexpr std::size_t slices = std::size_t{256} * held;

// The first one of all waits for all others.
std::size_t run_slice(std::size_t slice) {
  seen.begin(slice);
  if (slice == 0) {
    for (std::size_t other = 1; other != slices; ++other) seen.wait_for(other);
  }
  return 3 * slice;
}

template <class Results>
void expect_all(const Results& results) {
  ASSERT_EQ(results.size(), slices);
  for (std::size_t i = 0; i != slices; ++i) ASSERT_EQ(results[i], 3 * i);
}

TEST(relief, gives_an_idle_worker_what_another_has_not_begun) {
  const watchdog bites;
  seen.forget();
  process_pool pool{2};
  expect_all(pool.map(indices(slices), [](std::size_t i) { return run_slice(i); }));
  seen.expect_each_once(slices);
  EXPECT_EQ(pool.report().retries, 0U);
  EXPECT_GT(pool.report().chunks, 256U);
}

TEST(relief, gives_what_travels_by_copy_along_with_it) {
  const watchdog bites;
  seen.forget();
  process_pool pool{2};
  std::vector<std::string> texts;
  for (std::size_t i = 0; i != slices; ++i) texts.push_back(std::string(i % 300, 'x') + std::to_string(i));
  const std::vector<std::string> results = pool.map(texts, [](const std::string& text) {
    run_slice(std::stoul(text.substr(text.find_last_of('x') + 1)));
    return text + "!";
  });
  ASSERT_EQ(results.size(), slices);
  for (std::size_t i = 0; i != slices; ++i) ASSERT_EQ(results[i], texts[i] + "!");
  seen.expect_each_once(slices);
}

TEST(relief, works_in_place_and_in_a_snapshot) {
  const watchdog bites;
  {
    seen.forget();
    shared_vector<std::size_t> all;
    for (std::size_t i = 0; i != slices; ++i) all.push_back(i);
    process_pool{2}.for_each(all, [](std::size_t& i) { i = run_slice(i); });
    expect_all(all);
    seen.expect_each_once(slices);
  }
  seen.forget();
  expect_all(snapshot_pool{2}.map(indices(slices), [](std::size_t i) { return run_slice(i); }));
  seen.expect_each_once(slices);
}

TEST(relief, leaves_chunks_alone_whose_size_was_asked_for) {
  const watchdog bites;
  seen.forget();
  process_pool pool{2};
  // Slice 0 would wait for ever for slice 1, which is its worker's own: it waits for those of the other worker.
  const auto results = pool.with({.chunk = 64}).map(indices(128), [](std::size_t i) {
    seen.begin(i);
    for (std::size_t other = 64; i == 0 && other != 128; ++other) seen.wait_for(other);
    if (i == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));  // time enough to take what it holds
    return getpid();
  });
  EXPECT_EQ(std::ranges::count(results, results.front()), 64);
  EXPECT_EQ(pool.report().chunks, 2U);
}

const seen_by_all<std::atomic<std::size_t>> waits_for;
const seen_by_all<std::atomic<bool>> over;

// Input without end keeps the other worker busy: what the slice waits for is taken because its chunk takes long.
TEST(relief, ends_a_chunk_that_takes_long_while_all_workers_are_busy) {
  const watchdog bites;
  process_pool pool{2};
  for (int call = 0; call != 5; ++call) {
    seen.forget();
    waits_for->store(0);
    over->store(false);
    auto input = std::views::iota(std::size_t{0}) |
                 std::views::take_while([](std::size_t i) { return !over->load() || i < 300; });
    std::size_t results = 0;
    for ([[maybe_unused]] const auto& each : pool.imap_unordered(input, [](std::size_t i) {
           seen.begin(i % begun_slices::most);
           std::size_t none = 0;
           if (i >= 200 && waits_for->compare_exchange_strong(none, i + 1)) {
             seen.wait_for((i + 1) % begun_slices::most);
             over->store(true);
           } else if (!over->load()) {
             // First so short that chunks of several come, then so long that there is time to publish others meanwhile.
             const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(i < 200 ? 8 : 300);
             while (std::chrono::steady_clock::now() < end) {
             }
           }
           return i;
         })) {
      ++results;
    }
    EXPECT_GE(results, 300U);
  }
}

TEST(relief, runs_each_slice_once_wherever_the_long_ones_lie) {
  const watchdog bites;
  for (const unsigned workers : {2U, 3U, 7U}) {
    process_pool pool{workers};
    for (std::size_t call = 0; call != 12; ++call) {
      seen.forget();
      const auto results = pool.map(
          indices(slices),
          [](std::size_t i, std::size_t where) {
            seen.begin(i);
            if ((i + where) % 211 < 3) std::this_thread::sleep_for(std::chrono::microseconds(100 * (i % 23)));
            return 3 * i;
          },
          call * 97);
      expect_all(results);
      seen.expect_each_once(slices);
    }
    EXPECT_EQ(pool.report().retries, 0U);
  }
}

// What a worker has not run of a chunk does not count as run by it: it would be replaced too early.
TEST(relief, counts_what_each_worker_has_run) {
  const watchdog bites;
  seen.forget();
  // All but slice 0 come to one worker. Before the last of them it has run two less than that, and the last chunk is `held` long at most.
  process_pool pool{forkful::pool_options{.workers = 2, .max_slices_per_worker = slices - 2 + held}};
  const auto pids = pool.map(indices(slices), [](std::size_t i) {
    run_slice(i);
    return getpid();
  });
  EXPECT_EQ((std::set<pid_t>(pids.begin(), pids.end()).size()), 2U);
  seen.expect_each_once(slices);
}

// How long slices took in the call before says little where they are others.
TEST(relief, short_slices_after_long_ones_do_not_go_one_by_one) {
  const watchdog bites;
  const auto run = [](std::size_t i) {
    if (i < 8) std::this_thread::sleep_for(std::chrono::milliseconds(30));
    return 3 * i;
  };
  process_pool pool{2};
  EXPECT_EQ(pool.map(std::views::iota(std::size_t{0}, std::size_t{8}), run).size(), 8U);
  constexpr std::size_t many = 200'000;
  EXPECT_EQ(pool.map(std::views::iota(std::size_t{8}, 8 + many), run).size(), many);
  EXPECT_LT(pool.report().chunks, many / 10);
}

// ---- With deaths --------------------------------------------------------------------------------------------------------

// The parent kills the worker that slice 0 runs in, at the moment in which it has taken slices from it.
const seen_by_all<std::atomic<pid_t>> relieved_worker;
void kill_the_relieved(point where) {
  if (where != point::relieved) return;
  const pid_t victim = relieved_worker->exchange(0);
  if (victim <= 0) return;
  kill(victim, SIGKILL);
  while (!gone(victim)) std::this_thread::yield();
}

template <class Body>
void with_deaths_of_relieved_workers(Body body) {
  relieved_worker->store(0);
  forkful::detail::breakpoint_installed = kill_the_relieved;
  body();
  forkful::detail::breakpoint_installed = nullptr;
}

TEST(relief, loses_one_slice_with_a_worker_that_dies_just_then) {
  const watchdog bites;
  with_deaths_of_relieved_workers([] {
    seen.forget();
    process_pool pool{2};
    const auto outcomes = pool.try_map(indices(slices), [](std::size_t i) {
      if (i == 0) relieved_worker->store(getpid());
      return run_slice(i);
    });
    ASSERT_EQ(outcomes.size(), slices);
    ASSERT_FALSE(outcomes[0]);
    EXPECT_EQ(outcomes[0].failure().signal, SIGKILL);
    for (std::size_t i = 1; i != slices; ++i) ASSERT_EQ(outcomes[i].value(), 3 * i);
    seen.expect_each_once(slices);
  });
}

TEST(relief, repeats_only_the_slice_that_the_dead_worker_had_begun) {
  const watchdog bites;
  with_deaths_of_relieved_workers([] {
    seen.forget();
    process_pool pool{2};
    const auto results = pool.with({.attempts = 2}).map(indices(slices), [](std::size_t i) {
      if (i == 0 && seen.count(0) == 0) relieved_worker->store(getpid());
      return run_slice(i);
    });
    expect_all(results);
    EXPECT_EQ(seen.count(0), 2U);
    for (std::size_t i = 1; i != slices; ++i) EXPECT_EQ(seen.count(i), 1U) << i;
    EXPECT_EQ(pool.report().retries, 1U);
  });
}

TEST(relief, holds_where_workers_are_killed_at_every_point) {
  for (const point where :
       {point::claim_after, point::slice_begin, point::slice_end, point::done_before, point::done_after}) {
    const watchdog bites;
    for (unsigned pass = 1; pass <= (sanitized ? 2U : 8U); ++pass) {
      seen.forget();
      const killer kills(where, 40 * pass);
      process_pool pool{3};
      const auto outcomes = pool.try_map(indices(slices), [](std::size_t i) {
        seen.begin(i);
        if (i % 100 < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return 3 * i;
      });
      std::size_t failed = 0;
      for (std::size_t i = 0; i != slices; ++i) {
        if (outcomes[i]) {
          ASSERT_EQ(outcomes[i].value(), 3 * i);
        } else {
          ++failed;
        }
        EXPECT_LE(seen.count(i), 1U) << i << " at " << name_of(where);
      }
      EXPECT_LE(failed, 1U) << name_of(where) << ", " << 40 * pass;
    }
  }
}

}  // namespace
