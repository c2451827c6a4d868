// Parents that are killed, and the wait for their workers to end with them: what tests of the lifeline share.
//
// Owns nothing. Each round forks a parent of its own; SIGKILL ends it. That the workers end is what is tested; how fast
// is measured and printed.
#pragma once

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <iostream>
#include <thread>
#include <vector>

#include "faults/killing.hpp"

namespace forkful_tests {

using clock_type = std::chrono::steady_clock;

constexpr auto long_enough = std::chrono::seconds(hang_seconds / 2);  // to be sure that it never happens

struct ledger {
  static constexpr std::size_t places = 64;
  std::array<std::atomic<pid_t>, places> pids{};
  std::atomic<unsigned> entries{0};
  std::atomic<bool> ready{false};
  std::atomic<bool> stop{false};

  void enter(pid_t process) {
    for (const auto& each : pids)
      if (each.load() == process) return;
    pids[entries.fetch_add(1) % places] = process;
  }
  [[nodiscard]] std::vector<pid_t> all() const {
    std::vector<pid_t> found;
    for (const auto& each : pids)
      if (const pid_t process = each.load(); process != 0) found.push_back(process);
    return found;
  }
};

inline ledger* seen = nullptr;

template <class Condition>
bool becomes_true(Condition condition) {
  const auto until = clock_type::now() + long_enough;
  while (!condition()) {
    if (clock_type::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

inline bool all_gone(const std::vector<pid_t>& processes) {
  return std::all_of(processes.begin(), processes.end(), [](pid_t each) { return gone(each); });
}

// Rounds of parents that are killed; `body` is the parent's life, which enters its workers in the ledger and sets `ready`.
class killed_parents : public testing::Test {
 protected:
  // Orphans come to this process, which takes their status: no other process can get such a pid meanwhile.
  void SetUp() override { ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); }
  void TearDown() override { prctl(PR_SET_CHILD_SUBREAPER, 0); }

  template <class Body>
  void round(std::size_t least_workers, Body body) {
    const seen_by_all<ledger> shared;
    seen = &*shared;
    const pid_t parent = start_child([&] {
      alarm(hang_seconds);
      body();
      return 1;
    });
    ASSERT_TRUE(becomes_true([] { return seen->ready.load(); }));
    const auto workers = seen->all();
    ASSERT_GE(workers.size(), least_workers);
    for (const pid_t worker : workers) ASSERT_FALSE(gone(worker));
    const auto killed = clock_type::now();
    ASSERT_EQ(kill(parent, SIGKILL), 0);
    const bool ended = becomes_true([&] { return all_gone(workers); });
    took_.push_back(std::chrono::duration<double, std::milli>(clock_type::now() - killed).count());
    ended_ += workers.size();
    EXPECT_TRUE(ended) << "workers outlive their parent";
    seen->stop = true;
    ASSERT_TRUE(wait_for(parent).killed_by(SIGKILL));
    for (const pid_t worker : workers) {
      if (!ended) kill(worker, SIGKILL);
      // By the lifeline; or, if that was not armed yet, by itself, because it found the line cut.
      if (ending end{-1}; waitpid(worker, &end.status, 0) == worker) {
        EXPECT_TRUE(end.killed_by(SIGKILL) || end.exited_with(1)) << end.status;
      }
    }
  }

  void tell(const char* what) {
    std::sort(took_.begin(), took_.end());
    std::cout << what << ": " << took_.size() << " parents killed, " << ended_
              << " workers gone; the last of each after " << took_[took_.size() / 2] << " ms (median), " << took_.back()
              << " ms (longest)" << std::endl;
  }

  std::vector<double> took_;
  std::size_t ended_ = 0;
  watchdog bites_;
};

// Busy for ever, in user code that makes no system call.
inline void run_for_ever(std::size_t) {
  seen->enter(getpid());
  if (seen->entries.load() >= 2) seen->ready = true;
  for (;;) {
    if (seen->stop.load(std::memory_order_relaxed)) _exit(9);
  }
}

}  // namespace forkful_tests
