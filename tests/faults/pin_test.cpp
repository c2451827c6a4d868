// Workers that are kept on one core each: pool_options::pin.
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <forkful/forkful.hpp>
#include <vector>

#include "faults/killing.hpp"
#include "os/topology.hpp"

namespace {

using forkful::indices;
using forkful::pool_options;
using forkful::process_pool;
using namespace forkful_tests;

constexpr unsigned room = 64;

// Where each worker may run, as it found itself at its start.
struct places {
  std::array<cpu_set_t, room> of{};
  std::array<std::atomic<unsigned>, room> starts{};
};
places* noted = nullptr;

void note_place() {
  const unsigned worker = forkful::worker_index();
  if (worker >= room) return;
  sched_getaffinity(0, sizeof(cpu_set_t), &noted->of[worker]);
  noted->starts[worker].fetch_add(1);
}

cpu_set_t usable_here() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  EXPECT_EQ(sched_getaffinity(0, sizeof cpus, &cpus), 0);
  return cpus;
}

class pinned : public testing::Test {
 protected:
  pinned() { noted = &*places_; }

  // Starts that many workers and waits until all have started.
  static void start(unsigned workers, bool pin) {
    process_pool pool(
        pool_options{.workers = workers, .on_worker_start = note_place, .on_worker_exit = [] {}, .pin = pin});
    EXPECT_EQ(pool.map(indices(3), [](std::size_t i) { return i; }), (std::vector<std::size_t>{0, 1, 2}));
  }

  const watchdog bites_;
  seen_by_all<places> places_;
};

TEST_F(pinned, workers_take_turns_on_the_usable_cores) {
  const std::vector<cpu_set_t> cores = forkful::detail::usable_cores();
  const auto count = static_cast<unsigned>(cores.size());
  ASSERT_GE(count, 1U);
  ASSERT_LT(2 * count + 1, room);
  const cpu_set_t usable = usable_here();
  start(2 * count + 1, true);
  for (unsigned worker = 0; worker < 2 * count + 1; ++worker) {
    ASSERT_EQ(noted->starts[worker].load(), 1U) << worker;
    EXPECT_NE(CPU_EQUAL(&noted->of[worker], &cores[worker % count]), 0) << worker;
    cpu_set_t both;
    CPU_AND(&both, &noted->of[worker], &usable);
    EXPECT_NE(CPU_EQUAL(&both, &noted->of[worker]), 0) << "only where the process may run";
    EXPECT_GE(CPU_COUNT(&both), 1);
    for (unsigned other = 0; other < worker && worker < count; ++other) {
      CPU_AND(&both, &noted->of[worker], &noted->of[other]);
      EXPECT_EQ(CPU_COUNT(&both), 0) << "a core of its own";
    }
  }
  const cpu_set_t after = usable_here();
  EXPECT_NE(CPU_EQUAL(&after, &usable), 0) << "the caller is not pinned";
}

TEST_F(pinned, workers_stay_within_what_the_process_may_use) {
  const auto ended = in_child([] {
    cpu_set_t usable = usable_here();
    int last = -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) last = CPU_ISSET(cpu, &usable) ? cpu : last;
    CPU_ZERO(&usable);
    CPU_SET(last, &usable);
    if (sched_setaffinity(0, sizeof usable, &usable) != 0) return 1;
    start(3, true);
    for (unsigned worker = 0; worker < 3; ++worker) {
      if (noted->starts[worker].load() != 1 || CPU_EQUAL(&noted->of[worker], &usable) == 0) return 2;
    }
    return testing::Test::HasFailure() ? 3 : 0;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST_F(pinned, workers_are_not_unless_asked_for) {
  const cpu_set_t usable = usable_here();
  start(2, false);
  for (unsigned worker = 0; worker < 2; ++worker) {
    ASSERT_EQ(noted->starts[worker].load(), 1U);
    EXPECT_NE(CPU_EQUAL(&noted->of[worker], &usable), 0);
  }
}

TEST_F(pinned, replacements_take_the_same_core) {
  process_pool pool(pool_options{.workers = 1, .on_worker_start = note_place, .pin = true});
  EXPECT_EQ(pool.map(indices(1), [](std::size_t i) { return i; }).size(), 1U);
  ASSERT_EQ(noted->starts[0].load(), 1U);
  const cpu_set_t first = noted->of[0];
  EXPECT_FALSE(pool.try_map(indices(1), [](std::size_t) { return raise(SIGKILL); })[0].has_value());
  EXPECT_EQ(pool.map(indices(1), [](std::size_t i) { return i; }).size(), 1U);
  EXPECT_EQ(noted->starts[0].load(), 2U);
  EXPECT_NE(CPU_EQUAL(&noted->of[0], &first), 0);
}

}  // namespace
