// Callers of an auto_pool that run alone are watched, whatever comes in between.
#include <gtest/gtest.h>

#include <atomic>
#include <forkful/forkful.hpp>
#include <latch>
#include <vector>

#include "faults/killing.hpp"
#include "os/breakpoint.hpp"

namespace {

using forkful::detail::point;
using namespace forkful_tests;

// The first look comes while the call is still being made: it must not be the last one.
TEST(lone_calls, are_helped_even_if_looked_at_before_they_begin) {
  const watchdog bites;
  static std::atomic<bool> looked{false};
  forkful::detail::breakpoint_installed = [](point where) {
    if (where == point::watched) looked.wait(false);
    if (where != point::looked) return;
    looked = true;
    looked.notify_all();
  };
  std::vector<std::size_t> finished;
  {
    forkful::auto_pool pool(2U);
    std::latch both(2);
    finished = pool.with({.chunk = 1}).map(forkful::indices(2), [&](std::size_t i) {
      both.arrive_and_wait();
      return i + 1;
    });
  }
  forkful::detail::breakpoint_installed = nullptr;
  EXPECT_TRUE(looked);
  EXPECT_EQ(finished, (std::vector<std::size_t>{1, 2}));
}

}  // namespace
