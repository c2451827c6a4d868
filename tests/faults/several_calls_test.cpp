// Calls of several threads on one pool, while workers crash: each gets its own results, and its own failures.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <forkful/forkful.hpp>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "faults/killing.hpp"
#include "os/breakpoint.hpp"

namespace {

using namespace forkful;
using namespace forkful_tests;

template <class Pool>
void run_by_several_threads() {
  const watchdog bites;
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

TEST(several_calls, share_a_process_pool_that_crashes) { run_by_several_threads<process_pool>(); }
TEST(several_calls, share_a_snapshot_pool_that_crashes) { run_by_several_threads<snapshot_pool>(); }

// What slices of a test wait for, and report: made before the workers that are to see it.
struct gate {
  std::atomic<int> begun{0};
  std::atomic<bool> open{false};
};
gate* shared_gate = nullptr;

void wait_at_the_gate(std::size_t /*slice*/) {
  ++shared_gate->begun;
  while (!shared_gate->open) std::this_thread::yield();
}

// A long slice of one thread holds up no other thread's, though its thread is the leader. There are so many calls that
// lost wake-ups, which cost up to 100 ms each, would count as a hang.
TEST(several_calls, do_not_wait_for_each_other) {
  const watchdog bites;
  constexpr unsigned calls = 900;  // all on the board beside the long one
  const unsigned rounds = times(10);
  unsigned long_ones = 0;
  std::atomic<unsigned> right{0};
  for (unsigned round = 0; round != rounds; ++round) {
    const seen_by_all<gate> its_gate;
    shared_gate = &*its_gate;
    process_pool pool(3U);
    std::thread longer([&] { pool.for_each(indices(1), wait_at_the_gate); });
    while (its_gate->begun == 0) std::this_thread::yield();
    std::vector<std::thread> others;
    for (int i = 0; i != 2; ++i) {
      others.emplace_back([&] {
        for (unsigned call = 0; call != calls; ++call) {
          right += pool.with({.chunk = 10}).map(indices(10), [](std::size_t x) { return x; }).size() == 10 ? 1 : 0;
        }
      });
    }
    for (std::thread& one : others) one.join();
    EXPECT_EQ(its_gate->begun, 1);
    its_gate->open = true;
    longer.join();
    ++long_ones;
  }
  EXPECT_EQ(long_ones, rounds);
  EXPECT_EQ(right, rounds * 2 * calls);
}

// Asleep are workers that found nothing to do for a while.
void wait_for_sleepers(std::size_t how_many) {
  for (;;) {
    const auto workers = children_of(getpid());
    const auto asleep = std::count_if(workers.begin(), workers.end(), [](pid_t one) { return state_of(one) == 'S'; });
    if (static_cast<std::size_t>(asleep) == how_many) return;
    std::this_thread::yield();
  }
}

// Beside a long call, whose thread sleeps until it is done: a chunk published meanwhile wakes a worker. Thousands of
// times 100 ms, should no worker be woken before that thread looks again, would count as a hang.
TEST(several_calls, wake_workers_for_themselves) {
  const watchdog bites;
  const seen_by_all<gate> its_gate;
  shared_gate = &*its_gate;
  process_pool pool(3U);
  std::thread longer([&] { pool.for_each(indices(1), wait_at_the_gate); });
  while (its_gate->begun == 0) std::this_thread::yield();
  constexpr unsigned calls = 1900;  // all on the board beside the long one
  unsigned right = 0;
  for (unsigned call = 0; call != calls; ++call) {
    wait_for_sleepers(2);
    right += pool.map(indices(1), [](std::size_t x) { return x + 1; }) == std::vector<std::size_t>{1} ? 1 : 0;
  }
  EXPECT_EQ(right, calls);
  EXPECT_EQ(its_gate->begun, 1);
  its_gate->open = true;
  longer.join();
}

// A submitted call is begun though no thread waits for it yet, as long as there are idle workers.
TEST(several_calls, are_begun_before_anybody_waits_for_them) {
  const watchdog bites;
  for (unsigned round = 0; round != times(20); ++round) {
    const seen_by_all<gate> its_gate;
    shared_gate = &*its_gate;
    process_pool pool(3U);
    std::vector<future<void>> waiting;
    for (int begun = 0; begun != 3; ++begun) {
      wait_for_sleepers(static_cast<std::size_t>(3 - begun));
      waiting.push_back(pool.submit(wait_at_the_gate, std::size_t{0}));
      while (its_gate->begun != begun + 1) std::this_thread::yield();
    }
    its_gate->open = true;
    for (auto& one : waiting) one.get();
    EXPECT_EQ(its_gate->begun, 3);
  }
}

// cancel(kill) ends a worker, which is done with that very slice just before the signal comes, and never the slice that would be
// its next.
TEST(several_calls, lose_nothing_when_another_is_cancelled_and_killed) {
  const watchdog bites;
  struct seen_by_workers : gate {
    std::atomic<unsigned> done{0};
    std::atomic<unsigned> next_begun{0};
    pid_t parent = getpid();
  };
  static seen_by_workers* seen = nullptr;
  forkful::detail::breakpoint_installed = [](point where) {
    if (where == point::done_after) ++seen->done;
    if (where != point::kill_before || getpid() != seen->parent) return;
    seen->open = true;
    while (seen->done == 0) std::this_thread::yield();
    usleep(2000);  // in which the worker would begin its next slice
  };
  const unsigned rounds = times(10);
  for (unsigned round = 0; round != rounds; ++round) {
    const seen_by_all<seen_by_workers> shared;
    shared_gate = seen = &*shared;
    process_pool pool(1U);
    auto victim = pool.submit(wait_at_the_gate, std::size_t{0});
    auto next = pool.submit(
        [](int x) {
          ++seen->next_begun;
          return x + 1;
        },
        4);
    while (seen->begun == 0) std::this_thread::yield();
    EXPECT_TRUE(victim.cancel(forkful::kill));
    EXPECT_EQ(seen->done, 1U);
    EXPECT_EQ(seen->next_begun, 0U) << "by a worker that is about to be killed";
    EXPECT_THROW(victim.get(), cancelled);
    EXPECT_EQ(next.get(), 5);
  }
  forkful::detail::breakpoint_installed = nullptr;
}

// restart() in one thread holds the verbs of other threads back until there are new workers; none is refused.
TEST(several_calls, are_not_refused_while_another_thread_starts_the_pool_anew) {
  const watchdog bites;
  process_pool pool(2U);
  std::atomic<bool> stop{false};
  std::atomic<unsigned> right{0};
  std::atomic<unsigned> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i != 2; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        try {
          right += pool.submit([](int x) { return x; }, 4).get() == 4 ? 1 : 0;
        } catch (const pool_closed&) {
          ++refused;
        } catch (const cancelled&) {
        }
      }
    });
  }
  for (unsigned round = 0; round != times(50); ++round) {
    const unsigned before = right;
    pool.restart();
    while (right == before) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& one : threads) one.join();
  EXPECT_EQ(refused, 0U);
  EXPECT_GE(right, times(50));
}

// The leader ends first; another thread has to notice the deaths.
TEST(several_calls, survive_the_end_of_the_thread_that_watches) {
  const watchdog bites;
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
  const watchdog bites;
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

// The leader finds that nothing has happened for a while, and looks whether all descriptors are there still. A thread
// that changes the crew waits meanwhile, or a worker that is just being replaced would count as lost.
struct other_thread {
  std::stop_source asks;
  std::thread runs;
  std::atomic<pid_t> number{0};
  std::atomic<bool> had_its_turn{false};
  bool had_it_meanwhile = false;
};
other_thread* other = nullptr;

void look_for_turns(point where) {
  if (where != point::end_looked_for || other->runs.joinable()) return;
  other->runs = std::thread([] {
    other->number = gettid();
    other->asks.request_stop();
    other->had_its_turn = true;
    shared_gate->open = true;
  });
  while (!other->had_its_turn && (other->number == 0 || state_of(other->number) != 'S')) std::this_thread::yield();
  other->had_it_meanwhile = other->had_its_turn;
}

TEST(several_calls, change_no_crew_while_another_looks_for_lost_workers) {
  const watchdog bites;
  const seen_by_all<gate> made;
  shared_gate = &*made;
  other_thread second;
  other = &second;
  process_pool pool(2U);
  forkful::detail::breakpoint_installed = look_for_turns;
  (void)pool.with({.stop = second.asks.get_token()}).try_for_each(indices(2), wait_at_the_gate);
  forkful::detail::breakpoint_installed = nullptr;
  ASSERT_TRUE(second.runs.joinable());
  second.runs.join();
  EXPECT_FALSE(second.had_it_meanwhile);
}

TEST(several_calls, of_terminated_pools_end_as_cancelled_in_every_thread) {
  const watchdog bites;
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
    std::this_thread::sleep_for(std::chrono::milliseconds(5 * round));  // at any instant
    pool.terminate();
    for (std::thread& one : threads) one.join();
    EXPECT_EQ(ended, 3);
    pool.restart();
    EXPECT_EQ(pool.map(indices(10), [](std::size_t x) { return x; }).size(), 10U);
  }
}

// Reading debug information takes milliseconds: no other thread waits for it, and the worker is replaced before.
TEST(crash, is_named_while_other_calls_go_on) {
  const watchdog bites;
  static process_pool* all = nullptr;
  static pid_t caller = 0;
  static unsigned served = 0;
  process_pool pool(1U);
  all = &pool;
  caller = getpid();
  served = 0;
  EXPECT_EQ(pool.map(indices(3), [](std::size_t i) { return i; }).size(), 3U);
  forkful::detail::breakpoint_installed = [](point where) {
    if (where != point::crash_described || getpid() != caller) return;
    std::thread meanwhile([] {
      if (all->map(indices(3), [](std::size_t i) { return i + 1; }) == std::vector<std::size_t>{1, 2, 3}) ++served;
    });
    meanwhile.join();
  };
  const auto outcomes = pool.try_map(indices(3), [](std::size_t i) {
    if (i == 1) raise(SIGSEGV);
    return i;
  });
  forkful::detail::breakpoint_installed = nullptr;
  EXPECT_EQ(served, 1U);
  ASSERT_FALSE(outcomes[1].has_value());
  EXPECT_FALSE(outcomes[1].failure().frames.empty());
  EXPECT_EQ(outcomes[2].value(), 2U);
}

}  // namespace
