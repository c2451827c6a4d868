// What the kernel counts for this process.
#include "os/account.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace {

using namespace forkful::detail;

TEST(account, of_a_thread_says_how_long_others_had_its_core) {
  if (access("/proc/thread-self/schedstat", R_OK) != 0) GTEST_SKIP() << "this kernel does not count it";
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  std::atomic<bool> enough{false};
  std::thread other([&] {  // on the same core
    while (!enough.load()) {
    }
  });
  const std::uint64_t before = time_without_core();
  while (time_without_core() == before) {
  }
  enough.store(true);
  other.join();
  EXPECT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
}

}  // namespace
