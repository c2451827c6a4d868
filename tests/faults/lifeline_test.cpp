// The parent is killed, and its workers are gone: docs/protocol.md, 13.
//
// Each round forks a parent of its own, which makes a pool; SIGKILL ends the parent. That the workers end is what is tested;
// how fast is measured and printed.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <forkful/forkful.hpp>
#include <iostream>
#include <string>
#include <tuple>

#include "faults/killed_parents.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using forkful::snapshot_pool;
using namespace forkful_tests;
TEST_F(killed_parents, take_busy_workers_with_them) {
  for (int i = 0; i != static_cast<int>(times(50)); ++i)
    round(2, [] { process_pool{2}.with({.chunk = 1}).for_each(indices(2), run_for_ever); });
  tell("busy");
}

TEST_F(killed_parents, take_busy_snapshots_with_them) {
  for (int i = 0; i != static_cast<int>(times(20)); ++i)
    round(2, [] { snapshot_pool{2}.with({.chunk = 1}).for_each(indices(2), run_for_ever); });
  tell("busy snapshots");
}

TEST_F(killed_parents, take_idle_workers_with_them) {
  for (int i = 0; i != static_cast<int>(times(50)); ++i) {
    round(2, [] {
      process_pool pool{2};
      for (const pid_t worker : children_of(getpid())) seen->enter(worker);
      seen->ready = true;
      for (;;) pause();
    });
  }
  tell("idle");
}

TEST_F(killed_parents, take_workers_in_the_middle_of_everything_with_them) {
  for (int i = 0; i != static_cast<int>(times(50)); ++i) {
    round(2, [&] {
      process_pool pool{2};
      for (const pid_t worker : children_of(getpid())) seen->enter(worker);
      for (int calls = 0;; ++calls) {
        std::ignore = pool.map(indices(100), [](std::size_t slice) { return std::string(slice * 50, 'x'); });
        if (calls == i) seen->ready = true;
      }
    });
  }
  tell("in the middle of short calls");
}

// The zygote is one of the three, and the parent's end of its lifeline is not among what it inherits.
TEST_F(killed_parents, take_a_zygote_and_its_workers_with_them) {
  for (int i = 0; i != static_cast<int>(times(20)); ++i) {
    round(3, [] {
      process_pool pool(forkful::pool_options{.workers = 2, .start = forkful::start_method::zygote});
      for (const pid_t child : children_of(getpid())) seen->enter(child);
      seen->ready = true;
      for (;;) pause();
    });
  }
  tell("idle, of a zygote");
}

// A child that the user forked holds copies of what it inherited; the lifelines are not among them.
TEST_F(killed_parents, take_workers_with_them_though_a_child_of_the_users_lives_on) {
  for (int i = 0; i != static_cast<int>(times(20)); ++i) {
    std::atomic<pid_t>* bystander = nullptr;
    const seen_by_all<std::atomic<pid_t>> shared;
    bystander = &*shared;
    round(2, [&] {
      process_pool pool{2};
      for (const pid_t worker : children_of(getpid())) seen->enter(worker);
      *bystander = start_child([] {
        for (;;) pause();
        return 0;
      });
      process_pool later{1};  // made after the child
      for (const pid_t worker : children_of(getpid())) {
        if (worker != bystander->load()) seen->enter(worker);
      }
      seen->ready = true;
      for (;;) pause();
    });
    ASSERT_FALSE(gone(bystander->load()));
    kill(bystander->load(), SIGKILL);
    ASSERT_TRUE(wait_for(bystander->load()).killed_by(SIGKILL));
  }
  tell("with a bystander");
}

// Workers of workers: the outer worker is the parent of the inner ones.
TEST_F(killed_parents, take_workers_of_workers_with_them) {
  for (int i = 0; i != static_cast<int>(times(20)); ++i) {
    round(4, [] {
      process_pool{2}.with({.chunk = 1}).for_each(indices(2), [](std::size_t) {
        process_pool inner{2};
        seen->enter(getpid());
        for (const pid_t worker : children_of(getpid())) seen->enter(worker);
        if (seen->entries.load() >= 6) seen->ready = true;
        for (;;) {
          if (seen->stop.load(std::memory_order_relaxed)) _exit(9);
        }
      });
    });
  }
  tell("nested");
}

// The parent dies between the fork and the arming of the lifeline, or right after it.
TEST_F(killed_parents, take_workers_with_them_that_were_just_born) {
  for (const point where : {point::fork_child, point::lifeline_armed}) {
    std::size_t born = 0;
    for (int i = 0; i != static_cast<int>(times(50)); ++i) {
      SCOPED_TRACE(name_of(where));
      const seen_by_all<ledger> shared;
      seen = &*shared;
      static point aim;
      static pid_t parent;
      aim = where;
      const pid_t killed = start_child([&] {
        parent = getpid();
        forkful::detail::breakpoint_installed = [](point here) {
          if (here != aim || getpid() == parent) return;
          seen->enter(getpid());
          kill(parent, SIGKILL);
        };
        process_pool pool{3};
        for (;;) pause();
        return 1;
      });
      ASSERT_TRUE(wait_for(killed).killed_by(SIGKILL));
      // Reaped: nothing of the parent is left. The processes it forked are our children now.
      ASSERT_TRUE(becomes_true([] {
        while (waitpid(-1, nullptr, WNOHANG) > 0) {
        }
        return children_of(getpid()).empty();
      })) << "a worker outlives its parent";
      const auto workers = shared->all();
      ASSERT_GE(workers.size(), 1U);
      born += workers.size();
      for (const pid_t worker : workers) EXPECT_EQ(state_of(worker), '\0');
    }
    std::cout << name_of(where) << ": " << times(50) << " parents killed by " << born
              << " newborn workers, all of them gone" << std::endl;
  }
}

}  // namespace
