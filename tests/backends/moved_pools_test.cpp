// Pools that were moved from say so, whatever is called, and can be assigned to.
#include <gtest/gtest.h>

#include <forkful/forkful.hpp>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "every_pool.hpp"

namespace {

using forkful_tests::every_pool;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;

template <class Pool>
using moved_pools = on_every_pool<Pool>;
TYPED_TEST_SUITE(moved_pools, every_pool, pool_names);

template <class Call>
void expect_moved_from(const char* what, Call call) {
  try {
    call();
    ADD_FAILURE() << what << " did not throw";
  } catch (const forkful::pool_closed& e) {
    EXPECT_NE(std::string(e.what()).find("was moved from"), std::string::npos) << what << ": " << e.what();
  }
}

template <class Pool>
void expect_nothing_works(Pool& pool) {
  const auto twice = [](int x) { return 2 * x; };
  const std::vector<int> slices = {1, 2, 3};
  expect_moved_from("map", [&] { static_cast<void>(pool.map(slices, twice)); });
  expect_moved_from("try_map", [&] { static_cast<void>(pool.try_map(slices, twice)); });
  expect_moved_from("for_each", [&] { pool.for_each(slices, twice); });
  expect_moved_from("imap", [&] { static_cast<void>(pool.imap(slices, twice)); });
  expect_moved_from("submit", [&] { static_cast<void>(pool.submit(twice, 1)); });
  expect_moved_from("transform_reduce",
                    [&] { static_cast<void>(pool.transform_reduce(slices, 0, std::plus<>(), twice)); });
  expect_moved_from("with", [&] { static_cast<void>(pool.with({.chunk = 1}).map(slices, twice)); });
  expect_moved_from("size", [&] { static_cast<void>(pool.size()); });
  expect_moved_from("report", [&] { static_cast<void>(pool.report()); });
  expect_moved_from("totals", [&] { static_cast<void>(pool.totals()); });
  expect_moved_from("reset_totals", [&] { pool.reset_totals(); });
  expect_moved_from("terminate", [&] { pool.terminate(); });
  expect_moved_from("restart", [&] { pool.restart(); });
  expect_moved_from("resize", [&] { pool.resize(2); });
}

TYPED_TEST(moved_pools, whatever_is_asked_of_one_throws_pool_closed) {
  TypeParam other = std::move(this->pool);
  // NOLINTNEXTLINE(bugprone-use-after-move): what a moved-from pool does is what is tested
  expect_nothing_works(this->pool);
  EXPECT_EQ(other.map(std::vector<int>{1, 2}, [](int x) { return 2 * x; }), (std::vector<int>{2, 4}));
}

TYPED_TEST(moved_pools, one_that_was_assigned_elsewhere_throws_too_and_can_be_assigned_to) {
  TypeParam other{1U};
  other = std::move(this->pool);
  // NOLINTNEXTLINE(bugprone-use-after-move): what a moved-from pool does is what is tested
  expect_nothing_works(this->pool);
  this->pool = std::move(other);
  EXPECT_EQ(this->pool.map(std::vector<int>{1, 2}, [](int x) { return 2 * x; }), (std::vector<int>{2, 4}));
}

TYPED_TEST(moved_pools, what_with_returned_goes_on_with_the_pool_that_it_was_moved_to) {
  auto one_by_one = this->pool.with({.chunk = 1});
  const TypeParam other = std::move(this->pool);
  EXPECT_EQ(one_by_one.map(std::vector<int>{1, 2}, [](int x) { return 2 * x; }), (std::vector<int>{2, 4}));
}

TYPED_TEST(moved_pools, results_of_imap_that_were_moved_from_throw) {
  auto results = this->pool.imap(std::vector<int>{1, 2}, [](int x) { return 2 * x; });
  auto others = std::move(results);
  // NOLINTNEXTLINE(bugprone-use-after-move): what moved-from results do is what is tested
  EXPECT_THROW(static_cast<void>(results.begin()), std::logic_error);
  EXPECT_EQ(*others.begin(), 2);
}

}  // namespace
