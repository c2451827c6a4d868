// The caller's floating-point environment travels with the call, and what a slice does to it does not reach the next one.
#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>
#include <forkful/forkful.hpp>
#include <functional>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using forkful::indices;

double third(std::size_t i) {
  volatile double one = 1.0 + static_cast<double>(i);  // computed when it runs, with the rounding there is then
  return one / 3.0;
}

// What a loop computes in that environment.
std::vector<double> by_hand(std::size_t count, int rounding) {
  const int before = std::fegetround();
  std::fesetround(rounding);
  std::vector<double> results;
  for (std::size_t i = 0; i != count; ++i) results.push_back(third(i));
  std::fesetround(before);
  return results;
}

// For the length of a scope, which assertions may leave.
class rounding {
 public:
  explicit rounding(int mode) : before_(std::fegetround()) { std::fesetround(mode); }
  rounding(const rounding&) = delete;
  rounding& operator=(const rounding&) = delete;
  ~rounding() { std::fesetround(before_); }

 private:
  int before_;
};

template <class Pool>
class floating_point_on : public testing::Test {};
TYPED_TEST_SUITE(floating_point_on, forkful_tests::every_pool, forkful_tests::pool_names);

constexpr std::size_t count = 2000;

TYPED_TEST(floating_point_on, rounding_is_the_callers_at_the_call) {
  TypeParam pool{2};
  ASSERT_EQ(pool.map(indices(count), third), by_hand(count, FE_TONEAREST));  // workers are there
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST}) {
    const rounding here(mode);
    EXPECT_EQ(pool.map(indices(count), third), by_hand(count, mode)) << mode;
    EXPECT_EQ(pool.with({.chunk = 1}).map(indices(20), third), by_hand(20, mode)) << mode;
  }
}

TYPED_TEST(floating_point_on, rounding_is_the_callers_when_it_submitted_or_began_to_iterate) {
  TypeParam pool{2};
  auto later = [&] {
    const rounding here(FE_UPWARD);
    return pool.submit(third, std::size_t{0});
  }();
  EXPECT_EQ(later.get(), by_hand(1, FE_UPWARD)[0]);
  std::vector<double> results;
  const rounding here(FE_DOWNWARD);
  auto all = pool.imap(indices(50), third);
  for (const double each : all) {
    const rounding other(FE_UPWARD);
    results.push_back(each);
  }
  EXPECT_EQ(results, by_hand(50, FE_DOWNWARD));
}

TYPED_TEST(floating_point_on, what_a_slice_changes_does_not_reach_the_next_one) {
  TypeParam pool{2};
  const auto leaves_it = [](std::size_t i) {
    const double result = third(i);
    std::fesetround(FE_UPWARD);
    return result;
  };
  for (const int mode : {FE_TONEAREST, FE_DOWNWARD}) {
    const rounding here(mode);
    EXPECT_EQ(pool.map(indices(count), leaves_it), by_hand(count, mode));
    EXPECT_EQ(std::fegetround(), mode);
    EXPECT_EQ(pool.map(indices(count), third), by_hand(count, mode));
  }
}

TYPED_TEST(floating_point_on, what_a_slice_that_throws_changes_does_not_reach_the_next_one) {
  TypeParam pool{1};
  const auto throws = [](std::size_t i) {
    const double result = third(i);
    std::fesetround(FE_UPWARD);
    if (i % 2 == 0) throw 1;
    return result;
  };
  const auto outcomes = pool.try_map(indices(100), throws);
  const std::vector<double> right = by_hand(100, FE_TONEAREST);
  for (std::size_t i = 0; i != 100; ++i) {
    ASSERT_EQ(outcomes[i].has_value(), i % 2 == 1);
    if (i % 2 == 1) {
      EXPECT_EQ(*outcomes[i], right[i]) << i;
    }
  }
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
}

TYPED_TEST(floating_point_on, sums_have_the_bits_of_that_rounding_on_every_pool) {
  const rounding here(FE_UPWARD);
  forkful::serial_pool loop;
  const double right = loop.transform_reduce(indices(10'000), 0.0, std::plus<>{}, third);
  TypeParam pool{2};
  EXPECT_EQ(pool.transform_reduce(indices(10'000), 0.0, std::plus<>{}, third), right);
}

}  // namespace
