// Calls of several threads on one pool, while workers crash: each gets its own results, and its own failures.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <forkful/forkful.hpp>
#include <string>
#include <thread>
#include <vector>

#include "faults/killing.hpp"

namespace {

using namespace forkful;
using namespace forkful_tests;

template <class Pool>
void eaten_by_several_threads() {
  const watchdog bites(50);
  Pool pool(3U);
  std::atomic<unsigned> right{0};
  std::atomic<unsigned> crashes{0};
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread != 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (unsigned round = 0; round != times(20); ++round) {
        const std::size_t n = 50 + 37 * thread + round;
        const auto bad = [](std::size_t i, std::size_t all) { return i % 50 == all % 50; };
        const auto outcomes = pool.with({.chunk = 1 + round % 7})
                                  .try_map(
                                      indices(n),
                                      [](std::size_t i, std::size_t all) {
                                        if (i % 50 == all % 50) raise(SIGKILL);
                                        return std::to_string(i * all);
                                      },
                                      n);
        bool all_right = outcomes.size() == n;
        for (std::size_t i = 0; i != n && all_right; ++i) {
          if (bad(i, n)) {
            all_right = !outcomes[i] && outcomes[i].failure().signal == SIGKILL && outcomes[i].failure().slice == i;
            ++crashes;
          } else {
            all_right = outcomes[i] && outcomes[i].value() == std::to_string(i * n);
          }
        }
        right += all_right ? 1 : 0;
        auto later = pool.submit([](std::size_t x) { return x + 1; }, n);
        std::size_t walked = 0;
        for (const std::size_t i : pool.imap(indices(n), [](std::size_t x) { return x; }))
          walked += i == walked ? 1 : 0;
        right += walked == n && later.get() == n + 1 ? 1 : 0;
      }
    });
  }
  for (std::thread& one : threads) one.join();
  EXPECT_EQ(right, 4 * 2 * times(20));
  EXPECT_GE(crashes, 4 * times(20));
}

TEST(several_calls, share_a_process_pool_that_crashes) { eaten_by_several_threads<process_pool>(); }
TEST(several_calls, share_a_snapshot_pool_that_crashes) { eaten_by_several_threads<snapshot_pool>(); }

// A long slice of one thread holds up no other thread's.
TEST(several_calls, do_not_wait_for_each_other) {
  const watchdog bites(50);
  process_pool pool(2U);
  const seen_by_all<std::atomic<int>> release;
  static std::atomic<int>* gate = nullptr;
  gate = &*release;
  process_pool shares_the_gate(2U);
  std::thread longer([&] {
    shares_the_gate.for_each(indices(1), [](std::size_t) {
      while (gate->load() == 0) std::this_thread::yield();
    });
  });
  for (int i = 0; i != 50; ++i) {
    ASSERT_EQ(shares_the_gate.map(indices(10), [](std::size_t x) { return x; }).size(), 10U);
  }
  EXPECT_EQ(gate->load(), 0);
  gate->store(1);
  longer.join();
}

// The thread that watches the crew ends first; somebody else has to notice the deaths.
TEST(several_calls, survive_the_end_of_the_thread_that_watches) {
  const watchdog bites(50);
  process_pool pool(2U);
  unsigned survived = 0;
  for (int round = 0; round != 20; ++round) {
    std::thread first([&] { (void)pool.map(indices(20), [](std::size_t x) { return x; }); });
    const auto outcomes = pool.try_map(indices(20), [](std::size_t x) {
      if (x == 10) raise(SIGKILL);
      return x;
    });
    first.join();
    survived += !outcomes[10] && outcomes[11] ? 1 : 0;
  }
  EXPECT_EQ(survived, 20U);
}

// The pool is terminated, or started anew, while a caller encodes: its call ends, and does not wait for workers that are gone.
struct slow_to_write {
  int number = 0;
};

}  // namespace

template <>
struct forkful::codec<slow_to_write> {
  static void write(sink& out, const slow_to_write& value) {
    if (during_write != nullptr) during_write();
    out.write(value.number);
  }
  static slow_to_write read(source& in) { return {in.read<int>()}; }
  static inline void (*during_write)() = nullptr;
};

namespace {

TEST(several_calls, end_when_the_pool_is_terminated_while_they_are_encoded) {
  const watchdog bites(50);
  static process_pool* pool = nullptr;
  process_pool it(2U);
  pool = &it;
  unsigned cancelled_calls = 0;
  for (int round = 0; round != 3; ++round) {
    codec<slow_to_write>::during_write = [] { pool->terminate(); };
    try {
      (void)it.map(std::vector<slow_to_write>(4), [](const slow_to_write& x) { return x.number; });
    } catch (const cancelled&) {
      ++cancelled_calls;
    }
    codec<slow_to_write>::during_write = nullptr;
    it.restart();
    EXPECT_EQ(it.map(std::vector<slow_to_write>(4), [](const slow_to_write& x) { return x.number; }).size(), 4U);
  }
  EXPECT_EQ(cancelled_calls, 3U);
}

TEST(several_calls, of_terminated_pools_end_as_cancelled_in_every_thread) {
  const watchdog bites(50);
  for (int round = 0; round != 5; ++round) {
    process_pool pool(2U);
    std::atomic<int> ended{0};
    std::vector<std::thread> threads;
    for (int i = 0; i != 3; ++i) {
      threads.emplace_back([&] {
        try {
          pool.for_each(indices(100), [](std::size_t) {
            for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
          });
        } catch (const cancelled&) {
          ++ended;
        } catch (const pool_closed&) {
          ++ended;
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5 * round));  // any instant will do
    pool.terminate();
    for (std::thread& one : threads) one.join();
    EXPECT_EQ(ended, 3);
    pool.restart();
    EXPECT_EQ(pool.map(indices(10), [](std::size_t x) { return x; }).size(), 10U);
  }
}

}  // namespace
