// Several failing slices at once, slices that fork, and statuses that get lost: docs/protocol.md, 2, 6, 12.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <forkful/forkful.hpp>
#include <iostream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "board/board.hpp"
#include "faults/killing.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using forkful::shared_vector;
using forkful::snapshot_pool;
using forkful::worker_crashed;
using namespace forkful_tests;
using testing::HasSubstr;

using flags = shared_vector<std::atomic<int>>;

// ---- The lowest failing slice wins ----

enum class fate { fine, throws, crashes, exits };

// The lowest failing slice does not fail before another one has begun to.
std::size_t meet(std::size_t i, const std::vector<fate>& fates, const std::size_t& lowest, const flags& begun) {
  if (fates[i] == fate::fine) return i;
  begun[i] = 1;
  const auto another = [&] {
    for (std::size_t other = lowest + 1; other < fates.size(); ++other)
      if (begun[other] != 0) return true;
    return false;
  };
  while (i == lowest && !another()) std::this_thread::yield();
  if (fates[i] == fate::throws) throw std::out_of_range("slice " + std::to_string(i));
  if (fates[i] == fate::crashes) raise(SIGSEGV);
  _exit(5);
}

TEST(mixed_failures, the_lowest_failing_slice_is_the_one_that_is_thrown) {
  const watchdog bites;
  constexpr std::size_t slices = 30;
  constexpr fate kinds[] = {fate::throws, fate::crashes, fate::exits};
  process_pool pool{2};
  int thrown = 0;
  int crashed = 0;
  for (std::size_t round = 0; round != 60; ++round) {
    const std::size_t lowest = 3 + round % 7;
    std::vector<fate> fates(slices, fate::fine);
    fates[lowest] = kinds[round % 3];
    for (std::size_t i = lowest + 1; i < slices; ++i) fates[i] = kinds[(i + round / 3) % 3];
    const flags begun(slices);
    try {
      std::ignore = pool.with({.chunk = 1}).map(indices(slices), meet, fates, lowest, begun);
      FAIL() << "nothing was thrown";
    } catch (const std::out_of_range& error) {
      ++thrown;
      EXPECT_EQ(dynamic_cast<const forkful::slice_info&>(error).slice(), lowest);
      EXPECT_EQ(error.what(), "slice " + std::to_string(lowest));
      EXPECT_EQ(fates[lowest], fate::throws);
    } catch (const worker_crashed& crash) {
      ++crashed;
      EXPECT_EQ(crash.slice(), lowest);
      EXPECT_EQ(crash.signal(), fates[lowest] == fate::crashes ? SIGSEGV : 0);
    }
  }
  EXPECT_EQ(thrown, 20);
  EXPECT_EQ(crashed, 40);
}

TEST(mixed_failures, each_slice_that_fails_costs_one_slice) {
  const watchdog bites;
  constexpr std::size_t slices = 60;
  constexpr fate kinds[] = {fate::throws, fate::fine, fate::crashes, fate::fine, fate::exits, fate::throws};
  std::vector<fate> fates;
  for (std::size_t i = 0; i < slices; ++i) fates.push_back(kinds[i % std::size(kinds)]);
  process_pool pool{2};
  for (const std::size_t chunk : {0, 1, 5, 60}) {
    const flags begun(slices);
    const auto outcomes = pool.with({.chunk = chunk}).try_map(indices(slices), meet, fates, slices, begun);
    ASSERT_EQ(outcomes.size(), slices);
    for (std::size_t i = 0; i < slices; ++i) {
      ASSERT_EQ(outcomes[i].has_value(), fates[i] == fate::fine) << i;
      if (outcomes[i]) {
        EXPECT_EQ(outcomes[i].value(), i);
      } else {
        EXPECT_EQ(outcomes[i].failure().slice, i);
        EXPECT_EQ(outcomes[i].failure().kind,
                  fates[i] == fate::throws ? forkful::failure_kind::exception : forkful::failure_kind::crash);
      }
    }
  }
}

// Three chunks, three workers. The middle one fails while the first is still being run; the last one then breaks off, long
// before the first is done and the failure is final.
TEST(mixed_failures, slices_above_a_failing_one_are_skipped_inside_running_chunks) {
  const watchdog bites;
  constexpr std::size_t chunk = 100;
  const flags finished(3);
  process_pool pool{3};
  try {
    pool.with({.chunk = chunk})
        .for_each(
            indices(3 * chunk),
            [](std::size_t i, const flags& count) {
              const std::size_t third = i / chunk;
              count[third].fetch_add(1);
              if (i == 0) {
                // Until the whole last chunk has run, which must not happen, or would have by now.
                for (int waited = 0; waited != 150 && count[2] != chunk; ++waited) usleep(10'000);
              } else if (i == chunk) {
                while (count[0] == 0 || count[2] == 0) std::this_thread::yield();
                throw std::runtime_error("in the middle");
              } else if (third == 2) {
                usleep(10'000);
              }
            },
            finished);
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(dynamic_cast<const forkful::slice_info&>(error).slice(), chunk);
  }
  EXPECT_EQ(finished[0], static_cast<int>(chunk)) << "all below the failing slice are run";
  EXPECT_EQ(finished[1], 1);
  EXPECT_GE(finished[2], 1);
  EXPECT_LT(finished[2], static_cast<int>(chunk));
}

// A failure that was only announced: its worker dies before the chunk is handed in, cannot be replaced, and the slice goes
// well the second time. What the dead worker announced must not stop other slices from running.
TEST(mixed_failures, a_failure_that_died_with_its_worker_holds_nobody_up) {
  struct shared_state {
    std::atomic<int> throws{0};
    std::atomic<int> kills{0};
    std::atomic<int> replacements_refused{0};
  };
  static shared_state* state = nullptr;
  static pid_t parent = 0;
  const watchdog bites;
  const seen_by_all<shared_state> seen;
  state = &*seen;
  const auto result = in_child([] {
    alarm(hang_seconds);
    parent = getpid();
    // In the worker whose slice threw, `done_before` kills; in the parent, the replacement's descriptors are refused.
    static bool threw_here = false;
    forkful::detail::breakpoint_installed = [](point where) {
      if (getpid() == parent) {
        if (where != point::replace_before) return;
        const rlimit none{0, 0};
        setrlimit(RLIMIT_NOFILE, &none);
        state->replacements_refused.fetch_add(1);
      } else if (where == point::done_before && threw_here) {
        state->kills.fetch_add(1);
        raise(SIGKILL);
      }
    };
    process_pool pool{2};
    const auto finished = pool.with({.chunk = 4, .attempts = 2}).map(indices(40), [](std::size_t i) {
      if (i == 10 && state->throws.fetch_add(1) == 0) {
        threw_here = true;
        throw std::runtime_error("only once");
      }
      return i + 1;
    });
    for (std::size_t i = 0; i < 40; ++i)
      if (finished[i] != i + 1) return 1;
    return finished.size() == 40 ? 0 : 2;
  });
  EXPECT_TRUE(result.exited_with(0)) << result.status;
  EXPECT_EQ(state->kills.load(), 1);
  EXPECT_EQ(state->replacements_refused.load(), 1);
  EXPECT_EQ(state->throws.load(), 2);
}

// ---- More chunks than the ring has entries ----

struct ring_watch {
  std::atomic<unsigned> finished{0};
  std::atomic<unsigned> run_beside_first{0};
  std::atomic<unsigned> first_begun{0};
};

// The first chunk is held until all chunks that may be published beside it have run, by a worker that then dies; and
// again.
TEST(full_ring, hands_out_nothing_that_would_overwrite_an_unsettled_chunk) {
  const watchdog bites;
  constexpr std::size_t slices = 7000;
  constexpr unsigned ring = forkful::detail::ring_size;
  const forkful::shared<ring_watch> watch;
  process_pool pool{2};
  const auto finished = pool.with({.chunk = 1, .attempts = 3})
                            .map(
                                indices(slices),
                                [](std::size_t i, const forkful::shared<ring_watch>& seen) {
                                  if (i != 0) {
                                    seen->finished.fetch_add(1);
                                    return i;
                                  }
                                  const unsigned attempt = seen->first_begun.fetch_add(1) + 1;
                                  while (seen->finished.load() < ring - 1) std::this_thread::yield();
                                  usleep(2000);  // in which the other worker would get more
                                  seen->run_beside_first = seen->finished.load();
                                  if (attempt < 3) raise(SIGKILL);
                                  return i;
                                },
                                watch);
  ASSERT_EQ(finished.size(), slices);
  for (std::size_t i = 0; i < slices; ++i) ASSERT_EQ(finished[i], i);
  EXPECT_EQ(watch->first_begun.load(), 3U);
  EXPECT_EQ(watch->run_beside_first.load(), ring - 1);
  EXPECT_EQ(pool.report().deaths, 2U);
  EXPECT_EQ(pool.report().chunks, slices);
}

// ---- Slices that fork ----

// Forks, and returns in both processes; in the child before the worker goes on.
bool fork_in_slice(const flags& ended) {
  const pid_t child = fork();
  if (child == 0) return true;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) ended[0].fetch_add(1);
  return false;
}

template <class Pool>
void fork_in_every_fifth_slice(Pool&& pool) {
  const watchdog bites;
  constexpr std::size_t slices = 100;
  const flags ended(1);
  const auto numbers = pool.map(
      indices(slices),
      [](std::size_t i, const flags& children) {
        return i % 5 == 0 && fork_in_slice(children) ? 666'666 : static_cast<int>(i);
      },
      ended);
  for (std::size_t i = 0; i < slices; ++i) EXPECT_EQ(numbers[i], static_cast<int>(i));
  EXPECT_EQ(ended[0].load(), 20);

  const auto texts = pool.map(
      indices(slices),
      [](std::size_t i, const flags& children) {
        return i % 5 == 0 && fork_in_slice(children) ? std::string(100, '!') : std::to_string(i);
      },
      ended);
  for (std::size_t i = 0; i < slices; ++i) EXPECT_EQ(texts[i], std::to_string(i));
  EXPECT_EQ(ended[0].load(), 40);

  // A child that throws is no failure of the slice.
  const auto calm = pool.map(
      indices(slices),
      [](std::size_t i, const flags& children) {
        if (i % 5 == 0 && fork_in_slice(children)) throw std::runtime_error("in a child");
        return i;
      },
      ended);
  EXPECT_EQ(calm.size(), slices);
  EXPECT_EQ(ended[0].load(), 60);

  shared_vector<std::size_t> room(slices);
  pool.map_into(
      room, indices(slices),
      [](std::size_t i, const flags& children) {
        return i % 5 == 0 && fork_in_slice(children) ? std::size_t{666'666} : i;
      },
      ended);
  for (std::size_t i = 0; i < slices; ++i) EXPECT_EQ(room[i], i);
  EXPECT_EQ(ended[0].load(), 80);
  EXPECT_EQ(pool.report().deaths, 0U);
}

TEST(slice_that_forks, leaves_results_and_board_alone_on_a_process_pool) { fork_in_every_fifth_slice(process_pool{2}); }
TEST(slice_that_forks, leaves_results_and_board_alone_on_a_snapshot_pool) {
  fork_in_every_fifth_slice(snapshot_pool{2});
}

// Slices that are more than numbers run one by one: the child does not go on with the next in the worker's stead.
// (Of numbers in place it may run the rest of a block once more: docs/protocol.md, 12.)
TEST(slice_that_forks, does_not_run_on_in_place) {
  const watchdog bites;
  shared_vector<forkful::shared_string> table;
  for (std::size_t i = 0; i < 100; ++i) table.emplace_back(std::to_string(i));
  const flags ended(1);
  process_pool pool{2};
  pool.for_each(
      table,
      [](forkful::shared_string& slice, const flags& children) {
        const bool forks = slice.back() == '5';
        slice.append(100, 'x');
        if (forks) fork_in_slice(children);
      },
      ended);
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(std::string_view(table[i]), std::to_string(i) + std::string(100, 'x'));
  }
  EXPECT_EQ(ended[0].load(), 10);
}

// ---- Statuses that get lost ----

TEST(lost_status, with_sigchld_ignored_the_crash_is_told_without_its_cause) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    signal(SIGCHLD, SIG_IGN);
    process_pool pool{2};
    for (int round = 0; round != 20; ++round) {
      try {
        std::ignore = pool.map(indices(20), [](std::size_t i) { return i == 7 ? std::size_t(raise(SIGTERM)) : i; });
        return 1;
      } catch (const worker_crashed& crash) {
        if (crash.slice() != 7 || crash.signal() != 0 || crash.exit_status() != -1) return 2;
        if (std::string(crash.what()).find("status unknown") == std::string::npos) return 3;
      }
      if (pool.map(indices(3), [](std::size_t i) { return i; }).size() != 3) return 4;
    }
    // What the worker itself noted is not lost.
    try {
      std::ignore = pool.map(indices(20), [](std::size_t i) { return i == 7 ? std::size_t(raise(SIGSEGV)) : i; });
      return 5;
    } catch (const worker_crashed& crash) {
      if (crash.slice() != 7 || crash.signal() != SIGSEGV) return 6;
    }
    return 0;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(lost_status, with_a_thread_that_waits_for_any_child_nothing_hangs) {
  const seen_by_all<std::atomic<unsigned>> stolen;
  const seen_by_all<std::atomic<unsigned>> unknown;
  const auto ended = in_child([&] {
    alarm(hang_seconds);
    process_pool pool{2};
    std::atomic<bool> enough{false};
    std::thread thief([&] {
      while (!enough)
        if (waitpid(-1, nullptr, WNOHANG) > 0) stolen->fetch_add(1);
    });
    int result = 0;
    for (int round = 0; round != 100 && result == 0; ++round) {
      try {
        std::ignore = pool.map(indices(20), [](std::size_t i) { return i == 7 ? std::size_t(raise(SIGTERM)) : i; });
        result = 1;
      } catch (const worker_crashed& crash) {
        if (crash.slice() != 7) result = 2;
        if (crash.signal() == 0 && crash.exit_status() == -1) {
          unknown->fetch_add(1);
        } else if (crash.signal() != SIGTERM) {
          result = 3;
        }
      }
    }
    enough = true;
    thief.join();
    return result;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
  EXPECT_GE(stolen->load(), 1U);
  EXPECT_GE(unknown->load(), 1U);
  std::cout << stolen->load() << " statuses stolen, " << unknown->load() << " of 100 crashes without their cause\n";
}

// ---- Pools in processes that did not make them ----

TEST(inherited_pool, refuses_in_a_forked_child_and_works_on_in_its_maker) {
  const watchdog bites;
  auto pool = std::make_unique<process_pool>(2U);
  ASSERT_EQ(pool->map(indices(4), [](std::size_t i) { return i; }).size(), 4U);
  const auto workers = children_of(getpid());
  ASSERT_EQ(workers.size(), 2U);
  const auto ended = in_child([&] {
    try {
      std::ignore = pool->map(indices(4), [](std::size_t i) { return i; });
      return 1;
    } catch (const forkful::wrong_process&) {
    }
    pool.reset();  // ends no process
    process_pool own{2};
    return own.map(indices(4), [](std::size_t i) { return i; }).size() == 4 ? 0 : 2;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
  for (const pid_t worker : workers) EXPECT_FALSE(gone(worker));
  EXPECT_EQ(pool->map(indices(4), [](std::size_t i) { return i; }).size(), 4U);
  EXPECT_EQ(pool->report().deaths, 0U);
}

}  // namespace
