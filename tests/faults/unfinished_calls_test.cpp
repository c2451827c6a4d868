// Calls that no thread ends in good order: half walked when the pool gives up, dropped with arguments that use the pool themselves,
// inherited by a fork. docs/protocol.md, several calls, 12, 16.
#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <forkful/forkful.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "faults/killing.hpp"

namespace {

using namespace forkful;
using namespace forkful_tests;

// ---- A pool that gives up ----

struct switches {
  std::atomic<bool> no_start{false};  // new workers end before their first slice
  std::atomic<bool> held{false};      // slice 1 has begun
  std::atomic<bool> open{false};      // and may go on
};
switches* shared = nullptr;

pool_options fragile() {
  pool_options options;
  options.workers = 2;
  options.on_worker_start = [] {
    if (shared->no_start) _exit(3);
  };
  return options;
}

// Every worker that gets it dies, and no other gets through its start.
void give_up(process_pool& pool) {
  shared->no_start = true;
  EXPECT_THROW(pool.with({.attempts = 100}).for_each(indices(1), [](std::size_t) { raise(SIGKILL); }), start_failed);
  shared->no_start = false;
}

TEST(unfinished_calls, of_a_pool_that_gave_up_go_on_with_new_workers_if_nothing_of_theirs_was_lost) {
  const watchdog bites;
  const seen_by_all<switches> all;
  shared = &*all;
  process_pool pool(fragile());
  auto results = pool.with({.window = 1}).imap(indices(20), [](std::size_t i) { return i; });
  auto at = results.begin();
  EXPECT_EQ(*at, 0U);
  give_up(pool);
  EXPECT_TRUE(children_of(getpid()).empty());
  std::size_t walked = 1;
  for (++at; at != results.end(); ++at, ++walked) ASSERT_EQ(*at, walked);
  EXPECT_EQ(walked, 20U);
}

TEST(unfinished_calls, of_a_pool_that_gave_up_end_with_its_error_if_they_were_on_the_board) {
  const watchdog bites;
  const seen_by_all<switches> all;
  shared = &*all;
  process_pool pool(fragile());
  auto results = pool.with({.chunk = 1, .window = 4}).imap(indices(20), [](std::size_t i) {
    if (i == 1) {
      shared->held = true;
      while (!shared->open) std::this_thread::yield();
    }
    return i;
  });
  auto at = results.begin();
  auto later = pool.submit([](int x) { return x; }, 3);
  while (!shared->held) std::this_thread::yield();
  give_up(pool);
  EXPECT_EQ(*at, 0U);
  EXPECT_THROW(++at, start_failed) << "slice 1 was being run";
  // The submitted call was done before, or is lost too; nothing waits for ever.
  try {
    EXPECT_EQ(later.get(), 3);
  } catch (const start_failed&) {
  }
  EXPECT_EQ(pool.map(indices(3), [](std::size_t i) { return i; }).size(), 3U);
}

// ---- Arguments that use the pool when they are destroyed ----

// Destroyed in the caller's process, the original calls its pool.
template <class Pool>
struct farewell {
  Pool* pool = nullptr;
  std::atomic<int>* called = nullptr;
  pid_t home = getpid();

  farewell(Pool* its_pool, std::atomic<int>* its_calls) : pool(its_pool), called(its_calls) {}
  farewell() = default;
  farewell(farewell&& other) noexcept : pool(std::exchange(other.pool, nullptr)), called(other.called) {}
  farewell& operator=(farewell&&) = delete;
  ~farewell() {
    if (pool == nullptr || getpid() != home) return;
    const auto results = pool->map(indices(3), [](std::size_t i) { return i; });
    *called += results.size() == 3 ? 1 : 0;
  }
};

}  // namespace

template <class Pool>
struct forkful::codec<farewell<Pool>> {
  static void write(sink& out, const farewell<Pool>& /*value*/) { out.write(1); }
  static farewell<Pool> read(source& in) {
    (void)in.read<int>();
    return {};
  }
};

namespace {

template <class Pool>
void dropped_with_a_farewell() {
  const watchdog bites;
  std::atomic<int> called{0};
  for (int round = 1; round <= 20; ++round) {
    Pool pool(2U);
    (void)pool.submit([](const farewell<Pool>&) { return 1; }, farewell<Pool>(&pool, &called));
    // The call that finds the submitted one done destroys it.
    while (called != round) {
      ASSERT_EQ(pool.map(indices(2), [](std::size_t i) { return i; }).size(), 2U);
    }
  }
  EXPECT_EQ(called, 20);
}

TEST(unfinished_calls, may_use_their_process_pool_when_they_are_let_go_of) { dropped_with_a_farewell<process_pool>(); }
TEST(unfinished_calls, may_use_their_snapshot_pool_when_they_are_let_go_of) {
  dropped_with_a_farewell<snapshot_pool>();
}

// ---- A fork of the caller's ----

std::function<int()> childs_part;
ending childs_end{};

// Another thread waits for the future and this one is about to kill a worker, so all locks are held at the fork. The
// child gets an error that says whose pool it is, and destroys what it inherited; the parent notices nothing.
template <class Pool>
void inherited_by_a_fork() {
  const watchdog bites;
  const seen_by_all<switches> all;
  shared = &*all;
  auto pool = std::make_unique<Pool>(2U);
  std::optional<future<int>> result = pool->submit([] {
    while (!shared->open) std::this_thread::yield();
    return 7;
  });
  future<void> victim = pool->submit([] {
    shared->held = true;
    for (;;) pause();
  });
  std::atomic<pid_t> waiter{0};
  std::thread waits([&] {
    waiter = gettid();
    (void)result->wait_for(std::chrono::hours(1));
  });
  while (!shared->held || waiter == 0 || state_of(waiter) != 'S') std::this_thread::yield();

  childs_part = [&] {
    alarm(hang_seconds);
    int right = 0;
    const auto refused = [&](auto ask) {
      try {
        ask();
      } catch (const wrong_process&) {
        ++right;
      }
    };
    refused([&] { (void)result->ready(); });
    refused([&] { (void)result->cancel(forkful::kill); });
    refused([&] { (void)pool->map(indices(2), [](std::size_t i) { return i; }); });
    refused([&] { (void)pool->submit([] { return 1; }); });
    refused([&] { (void)victim.get(); });
    result.reset();
    pool.reset();
    return right;
  };
  forkful::detail::breakpoint_installed = [](point where) {
    if (where == point::kill_before) childs_end = in_child(childs_part);
  };
  EXPECT_TRUE(victim.cancel(forkful::kill));
  forkful::detail::breakpoint_installed = nullptr;
  EXPECT_TRUE(childs_end.exited_with(5)) << childs_end.status;
  EXPECT_THROW(victim.get(), cancelled);

  shared->open = true;
  waits.join();
  EXPECT_EQ(result->get(), 7);
  EXPECT_EQ(pool->map(indices(5), [](std::size_t i) { return i; }).size(), 5U);
  EXPECT_EQ(pool->report().deaths, 0U);
}

TEST(unfinished_calls, of_a_process_pool_are_not_a_forked_childs) { inherited_by_a_fork<process_pool>(); }
TEST(unfinished_calls, of_a_snapshot_pool_are_not_a_forked_childs) { inherited_by_a_fork<snapshot_pool>(); }

}  // namespace
