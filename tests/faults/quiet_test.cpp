// Workers that do nothing, and workers that are stopped: docs/protocol.md, 2, 3, 5.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <forkful/forkful.hpp>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "faults/killing.hpp"
#include "os/cpu.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using namespace forkful_tests;

bool becomes(pid_t process, char state) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(hang_seconds / 2);
  while (state_of(process) != state) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

// Nanoseconds on a CPU, nanoseconds waiting for one, times it was given one.
std::string schedule_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/schedstat");
  std::string text;
  std::getline(file, text);
  return text;
}

std::size_t count_run(process_pool& pool) {
  const auto finished = pool.with({.chunk = 1}).map(indices(200), [](std::size_t i) { return 3 * i; });
  std::size_t right = 0;
  for (std::size_t i = 0; i < finished.size(); ++i) right += finished[i] == 3 * i ? 1 : 0;
  return right;
}

TEST(idle_pool, uses_no_cpu) {
  const watchdog bites;
  process_pool pool{4};
  ASSERT_EQ(count_run(pool), 200U);
  const auto workers = children_of(getpid());
  ASSERT_EQ(workers.size(), 4U);
  // Asleep, and not only between two looks: the same count twice, some time apart.
  std::vector<std::string> before;
  for (int settling = 0;; ++settling) {
    ASSERT_LT(settling, 100) << "the workers do not come to rest";
    std::vector<std::string> first;
    for (const pid_t worker : workers) first.push_back(schedule_of(worker));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    before.clear();
    for (const pid_t worker : workers) before.push_back(schedule_of(worker));
    if (before == first) break;
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  for (std::size_t i = 0; i < workers.size(); ++i) {
    ASSERT_FALSE(before[i].empty());
    ASSERT_NE(before[i].substr(0, 2), "0 ") << "it has never run: nothing is counted here";
    EXPECT_EQ(schedule_of(workers[i]), before[i]) << "an idle worker was given the CPU";
    EXPECT_EQ(state_of(workers[i]), 'S');
  }
  EXPECT_EQ(count_run(pool), 200U);
}

// Caller and workers fall asleep and are woken in every order there is; a wake-up that is missed hangs.
TEST(sleep_and_wake, is_never_missed) {
  const watchdog bites;
  for (const unsigned workers : {1U, 2U, 5U}) {
    process_pool pool{workers};
    std::size_t calls = 0;
    for (std::size_t i = 0; i != times(1500); ++i) {
      const std::size_t slices = 1 + i % 5;
      const auto finished = pool.with({.chunk = 1})
                                .map(
                                    indices(slices),
                                    [](std::size_t slice, const std::size_t& turn) {
                                      // Around the time that workers spin before they sleep.
                                      if ((slice + turn) % 7 == 0) usleep(static_cast<useconds_t>(turn % 13 * 10));
                                      return slice;
                                    },
                                    i);
      ASSERT_EQ(finished.size(), slices);
      ++calls;
      if (i % 3 == 0) usleep(static_cast<useconds_t>(i % 17 * 10));
    }
    EXPECT_EQ(calls, times(1500));
  }
}

// Stopped by a signal from outside while it sleeps: the others run. Later it goes on, or is killed.
TEST(stopped_worker, that_is_idle_holds_nobody_up) {
  const watchdog bites;
  process_pool pool{3};
  ASSERT_EQ(count_run(pool), 200U);
  unsigned stopped = 0;
  unsigned killed = 0;
  std::size_t deaths = 0;
  for (int round = 0; round != 20; ++round) {
    auto workers = children_of(getpid());
    std::erase_if(workers, gone);  // deaths are noticed when a call has to wait
    ASSERT_GE(workers.size(), 2U);
    const pid_t one = workers[static_cast<std::size_t>(round) % workers.size()];
    ASSERT_EQ(kill(one, SIGSTOP), 0);
    ASSERT_TRUE(becomes(one, 'T'));
    ++stopped;
    for (int call = 0; call != 10; ++call) {
      ASSERT_EQ(count_run(pool), 200U);
      deaths += pool.report().deaths;  // of the round before, on a busy machine
    }
    EXPECT_EQ(state_of(one), 'T');
    if (round % 2 == 0) {
      ASSERT_EQ(kill(one, SIGCONT), 0);
    } else {
      ASSERT_EQ(kill(one, SIGKILL), 0);
      ASSERT_TRUE(becomes(one, 'Z'));
      ++killed;
    }
    // Long enough that the caller sleeps, and sees which worker has ended; until it does, if the machine is that slow.
    do {
      pool.for_each(indices(6), [](std::size_t) { usleep(1000); });
      deaths += pool.report().deaths;
    } while (deaths < killed);
  }
  EXPECT_EQ(stopped, 20U);
  EXPECT_EQ(killed, 10U);
  EXPECT_EQ(deaths, 10U);
}

// To the instruction: in the middle of spinning, on the way to sleep, about to claim.
TEST(stopped_worker, at_any_point_without_a_chunk_holds_nobody_up) {
  const watchdog bites;
  for (const point where : {point::spin, point::sleep_before, point::claim_before, point::done_after}) {
    SCOPED_TRACE(name_of(where));
    if (where == point::spin && forkful::detail::usable_cpus() == 1) continue;  // then no worker spins
    unsigned stopped = 0;
    for (unsigned pass = 1; pass <= 10; ++pass) {
      const killer now(where, pass, pass, SIGSTOP);
      process_pool pool{3};
      // With pauses, in which workers spin and fall asleep.
      while (now.kills() == 0) {
        ASSERT_EQ(count_run(pool), 200U);
        usleep(100);
      }
      for (int call = 0; call != 5; ++call) ASSERT_EQ(count_run(pool), 200U);
      stopped += now.kills();
    }  // and destroying a pool with a stopped worker ends that worker too
    EXPECT_TRUE(children_of(getpid()).empty());
    EXPECT_EQ(stopped, 10U);
    std::cout << name_of(where) << ": " << stopped << " workers stopped there" << std::endl;
  }
}

TEST(stopped_worker, all_of_them_end_with_their_pool) {
  const watchdog bites;
  std::vector<pid_t> workers;
  {
    process_pool pool{3};
    ASSERT_EQ(count_run(pool), 200U);
    workers = children_of(getpid());
    ASSERT_EQ(workers.size(), 3U);
    for (const pid_t worker : workers) ASSERT_EQ(kill(worker, SIGSTOP), 0);
    for (const pid_t worker : workers) ASSERT_TRUE(becomes(worker, 'T'));
  }
  for (const pid_t worker : workers) EXPECT_EQ(state_of(worker), '\0');
}

}  // namespace
