// What only a snapshot_pool promises: any closure, which sees the caller's memory as it was when the call began.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;

TEST(snapshot, sees_everything_by_reference) {
  snapshot_pool pool(2U);
  std::map<std::string, int> prices{{"cake", 3}};
  auto owner = std::make_unique<int>(5);
  const auto price = [&prices, &owner](const std::string& what) { return prices.at(what) * *owner; };
  EXPECT_EQ(pool.map(std::vector<std::string>{"cake", "cake"}, price), (std::vector<int>{15, 15}));
  prices["cake"] = 4;
  *owner = 2;
  EXPECT_EQ(pool.map(std::vector<std::string>{"cake"}, price), std::vector<int>{8}) << "as it is at each call";
  const auto moved = [owned = std::move(owner)](std::size_t i) { return *owned + static_cast<int>(i); };
  EXPECT_EQ(pool.map(indices(2), moved), (std::vector<int>{2, 3})) << "a callable that cannot be copied";
  std::function<std::string(int)> erased = [&](int i) { return std::to_string(prices["cake"] + i); };
  EXPECT_EQ(pool.map(std::vector{1}, erased), std::vector<std::string>{"5"});
}

TEST(snapshot, loses_what_slices_write_to_captured_memory) {
  snapshot_pool pool(2U);
  int finished = 0;
  std::vector<int> plates(10);
  std::vector<int> seen = pool.map(indices(10), [&](std::size_t i) {
    ++finished;
    plates[i] = 1;
    return finished;
  });
  EXPECT_EQ(finished, 0) << "the original is untouched";
  EXPECT_EQ(plates, std::vector<int>(10));
  for (const int each : seen) EXPECT_GE(each, 1) << "results come back";
}

TEST(snapshot, keeps_what_slices_write_to_shared_memory) {
  snapshot_pool pool(2U);
  shared_vector<int> plates(10);
  shared_vector<shared_string> names(10);
  pool.for_each(indices(10), [&](std::size_t i) {
    plates[i] = static_cast<int>(i);
    names[i].assign(100, 'n');
  });
  EXPECT_EQ(plates[9], 9);
  EXPECT_EQ(names[9], shared_string(100, 'n'));
}

TEST(snapshot, slices_may_be_anything_that_can_be_walked) {
  snapshot_pool pool(2U);
  std::vector<std::unique_ptr<int>> owners;
  for (int i = 0; i < 10; ++i) owners.push_back(std::make_unique<int>(i));
  EXPECT_EQ(pool.map(owners, [](const std::unique_ptr<int>& owner) { return *owner; })[9], 9);
  const std::vector<const char*> texts{"a", "bc"};
  EXPECT_EQ(pool.map(texts, [](const char* text) { return std::string(text); }), (std::vector<std::string>{"a", "bc"}));
  EXPECT_EQ(pool.map(indices(1), [](std::size_t, const std::unique_ptr<int>& any) { return *any; }, owners[7])[0], 7);
  EXPECT_EQ(pool.report().bytes_in, 0U);
}

// Calls of few slices get boards of few workers: those that do not fit the next call make room in the arena for others.
TEST(snapshot, calls_of_every_length_and_pools_of_every_size_use_the_same_places) {
  snapshot_pool pool(1U);
  unsigned places = 0;
  for (unsigned workers = 64; workers > 45; workers -= 2) {
    pool.resize(workers);
    ASSERT_EQ(pool.map(indices(200), [](std::size_t i) { return i; }).size(), 200U);
    ASSERT_EQ(pool.map(indices(workers - 1), [](std::size_t i) { return i; }).size(), workers - 1);
    places += workers + workers - 1;
  }
  EXPECT_GT(places, 1024U) << "more than there are at a time";
}

TEST(serial, is_the_plain_loop) {
  serial_pool pool;
  int finished = 0;
  std::vector<std::size_t> order;
  pool.for_each(indices(5), [&](std::size_t i) {
    ++finished;
    order.push_back(i);
  });
  EXPECT_EQ(finished, 5);
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
  // Also inside one of its own slices.
  EXPECT_EQ(
      pool.map(indices(3), [&](std::size_t i) { return pool.map(indices(i), [](std::size_t k) { return k; }).size(); }),
      (std::vector<std::size_t>{0, 1, 2}));
}

}  // namespace
