// A process that kills random workers at random instants while every verb runs: docs/protocol.md, 1-9, 16.
//
// FORKFUL_KILLS=10000 makes it a soak; the ordinary run stops at 300 deaths.
#include "faults/nemesis.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace forkful_tests;

TEST(nemesis, kills_at_random_and_nothing_is_lost_but_what_is_named) {
  const std::size_t wanted = from_environment("FORKFUL_KILLS", 300);
  const watchdog bites(static_cast<unsigned>(hang_seconds + wanted / 10));
  std::vector<std::string> slices_in;
  for (std::size_t i = 0; i < slices; ++i) slices_in.push_back(cake(i));

  std::size_t deaths = 0;
  std::size_t lost = 0;
  std::size_t calls = 0;
  process_pool pool{3};
  const nemesis hunter(4711);
  while (deaths < wanted && !HasFailure()) {
    for (const auto& verb :
         {mapped, updated, tried, in_place_with_attempts, strings_in_place, shared_results, mapped_into}) {
      lost += verb(pool, slices_in);
      deaths += pool.report().deaths;
      ++calls;
    }
    deaths += photographed(slices_in);
    ++calls;
  }
  std::cout << hunter.kills() << " kills, " << deaths << " deaths seen in " << calls << " calls, " << lost
            << " slices lost where a slice had one attempt\n";
  EXPECT_GE(deaths, wanted);
  EXPECT_GE(hunter.kills(), deaths);
  EXPECT_GE(lost, 1U);
}

}  // namespace
