// transform_reduce: the same bits for any number of workers, any chunk, on every pool.
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::isolated;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;

template <class Pool>
using transform_reduce_on = on_every_pool<Pool>;
TYPED_TEST_SUITE(transform_reduce_on, every_pool, pool_names);

double inverse(double x) { return 1 / x; }

// Sums whose value depends on the order in which they are made.
template <class Pool, class Range>
std::uint64_t bits_of_sum(Pool&& pool, const Range& range) {
  return std::bit_cast<std::uint64_t>(
      pool.transform_reduce(range, 0.1, [](double a, double b) { return a + b; }, inverse));
}

TYPED_TEST(transform_reduce_on, gives_the_same_bits_everywhere) {
  for (const std::size_t n : {0U, 1U, 2U, 4095U, 4096U, 4097U, 50'001U}) {
    std::vector<double> cake(n);
    for (std::size_t i = 0; i < n; ++i) cake[i] = static_cast<double>(i) + 1;
    // The definition: blocks folded left to right, then their results in order.
    double expected = 0.1;
    const std::size_t blocks = std::min<std::size_t>(n, 4096);
    for (std::size_t block = 0; block < blocks; ++block) {
      std::size_t at = detail::slice_bound(n, blocks, block);
      double folded = inverse(cake[at]);
      for (++at; at < detail::slice_bound(n, blocks, block + 1); ++at) folded += inverse(cake[at]);
      expected += folded;
    }
    EXPECT_EQ(bits_of_sum(this->pool, cake), std::bit_cast<std::uint64_t>(expected));
    for (const std::size_t chunk : {1U, 13U, 100'000U}) {
      EXPECT_EQ(bits_of_sum(this->pool.with({.chunk = chunk}), cake), std::bit_cast<std::uint64_t>(expected));
    }
    const shared_vector<double> shared(cake.begin(), cake.end());
    EXPECT_EQ(bits_of_sum(this->pool, shared), std::bit_cast<std::uint64_t>(expected));
    EXPECT_EQ(this->pool.report().slices, n);
  }
}

TYPED_TEST(transform_reduce_on, folds_what_only_can_be_folded_in_order) {
  std::vector<std::string> words;
  std::string expected = ">";
  for (int i = 0; i != 9000; ++i) expected += words.emplace_back(std::to_string(i)) + "!";
  EXPECT_EQ(this->pool.transform_reduce(
                words, std::string(">"), std::plus<>{},
                [](const std::string& word, const std::string& end) { return word + end; }, "!"),
            expected);
}

TYPED_TEST(transform_reduce_on, names_the_very_slice_that_fails) {
  for (const std::size_t n : {100U, 100'000U}) {
    try {
      (void)this->pool.transform_reduce(indices(n), std::size_t{0}, std::plus<>{}, [](std::size_t i) {
        if (i % 100 == 77) throw std::range_error(std::to_string(i));
        return i;
      });
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::range_error& error) {
      EXPECT_STREQ(error.what(), "77");
      EXPECT_EQ(dynamic_cast<const slice_info&>(error).slice(), 77U);
    }
  }
}

// Folding the blocks' results is the caller's part of the work: what it throws belongs to a slice all the same.
TYPED_TEST(transform_reduce_on, names_the_slice_whose_result_cannot_be_folded) {
  try {
    (void)this->pool.transform_reduce(
        indices(40'960), std::size_t{0},
        [](std::size_t sum, std::size_t next) {
          if (sum >= 1'000'000) throw std::length_error("enough");  // no block sums up to so much by itself
          return sum + next;
        },
        [](std::size_t i) { return i; });
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::length_error& error) {
    EXPECT_STREQ(error.what(), "enough");
    const auto* const where = dynamic_cast<const slice_info*>(&error);
    ASSERT_NE(where, nullptr);
    EXPECT_EQ(where->slice(), 1420U) << "the first slice of the block that was to be added";
  }
}

// transform_reduce counts blocks and sets options of its own for them; those of with() are the caller's.
TYPED_TEST(transform_reduce_on, leaves_the_options_of_with_alone) {
  auto chosen = this->pool.with({.chunk = 1000});
  const auto chunks_of_a_map = [&] {
    EXPECT_EQ(chosen.map(indices(50'000), [](std::size_t i) { return i; }).size(), 50'000U);
    return this->pool.report().chunks;
  };
  const std::size_t before = chunks_of_a_map();
  const std::size_t expected = forkful_tests::chunks_of<TypeParam>(50'000, 1000);
  if (expected == 0) GTEST_SKIP() << "how many chunks there are depends on how long slices take";
  EXPECT_EQ(before, expected);
  EXPECT_EQ(chosen.transform_reduce(indices(50'000), std::size_t{0}, std::plus<>{}, [](std::size_t i) { return i; }),
            1'249'975'000U);
  EXPECT_EQ(chunks_of_a_map(), before);
}

TEST(transform_reduce_on_processes, survives_crashes_and_names_the_block) {
  process_pool pool(2U);
  try {
    (void)pool.transform_reduce(indices(40'960), std::size_t{0}, std::plus<>{}, [](std::size_t i) {
      if (i == 12'345) __builtin_trap();
      return i;
    });
    ADD_FAILURE() << "nothing was thrown";
  } catch (const worker_crashed& error) {
    EXPECT_EQ(error.slice(), 12'340U);
    EXPECT_NE(std::string(error.what()).find("slices 12340 to 12349"), std::string::npos) << error.what();
  }
}

}  // namespace
