// slices_of(range, length): bands of whole rows, in every verb, copied and in place.
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::isolated;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;

template <class Pool>
using slices_of_length = on_every_pool<Pool>;
TYPED_TEST_SUITE(slices_of_length, every_pool, pool_names);

using numbers = std::vector<int>;

numbers counted(std::size_t n) {
  numbers all(n);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

// What a slice is: its first element and how many there are.
constexpr auto described = [](std::span<const int> slice) { return std::pair(slice.front(), slice.size()); };
using descriptions = std::vector<std::pair<int, std::size_t>>;

descriptions expected(std::size_t n, std::size_t length) {
  descriptions all;
  for (std::size_t at = 0; at < n; at += length) all.emplace_back(static_cast<int>(at), std::min(length, n - at));
  return all;
}

TYPED_TEST(slices_of_length, arrive_whole_in_any_chunk) {
  const numbers plain = counted(1001);
  const shared_vector<int> shared(plain);
  for (const std::size_t length : {1U, 7U, 40U, 1000U, 1001U, 5000U}) {
    for (const std::size_t chunk : {0U, 1U, 3U, 100U}) {
      auto using_chunk = this->pool.with({.chunk = chunk});
      EXPECT_EQ(using_chunk.map(slices_of(plain, length), described), expected(1001, length)) << length;
      EXPECT_EQ(using_chunk.map(slices_of(shared, length), described), expected(1001, length)) << length;
    }
  }
  EXPECT_TRUE(this->pool.map(slices_of(numbers(), 3), described).empty());
}

TYPED_TEST(slices_of_length, are_changed_in_place_where_they_are_shared) {
  constexpr std::size_t width = 30;
  const shared_vector<int> image(width * 7 + 5);
  this->pool.for_each(slices_of(image, width), [](std::span<int> row) {
    for (std::size_t x = 0; x != row.size(); ++x) row[x] = static_cast<int>(x);
  });
  for (std::size_t i = 0; i != image.size(); ++i) ASSERT_EQ(image[i], static_cast<int>(i % width));
  this->pool.for_each(slices_of(image.span(), 2 * width), [](std::span<int> band) { band.back() = -1; });
  EXPECT_EQ(image[2 * width - 1], -1);
  EXPECT_EQ(image[image.size() - 1], -1);
  EXPECT_EQ(image[width - 1], static_cast<int>(width) - 1);
  if constexpr (isolated<TypeParam>) {
    numbers plain(10);
    EXPECT_THROW(this->pool.for_each(slices_of(std::span(plain), 3), [](std::span<int> s) { s[0] = 1; }), not_shared);
  }
}

TYPED_TEST(slices_of_length, are_put_back_by_update) {
  numbers plain = counted(100);
  this->pool.update(slices_of(plain, 30), [](std::span<int> slice) { slice.back() = -1; });
  numbers right = counted(100);
  for (const std::size_t last : {29U, 59U, 89U, 99U}) right[last] = -1;
  EXPECT_EQ(plain, right);
}

TYPED_TEST(slices_of_length, pass_through_every_other_verb) {
  const numbers plain = counted(10);
  const auto sum = [](std::span<const int> slice) { return std::accumulate(slice.begin(), slice.end(), 0); };
  const numbers sums{3, 12, 21, 9};
  EXPECT_EQ(this->pool.map(slices_of(plain, 3), sum), sums);
  numbers got;
  for (const int one : this->pool.imap(slices_of(plain, 3), sum)) got.push_back(one);
  EXPECT_EQ(got, sums);
  const shared_vector<int> out(4);
  this->pool.map_into(out, slices_of(plain, 3), sum);
  EXPECT_EQ(numbers(out.begin(), out.end()), sums);
  EXPECT_EQ(this->pool.transform_reduce(slices_of(plain, 3), 0, std::plus<>(), sum), 45);
  EXPECT_EQ(this->pool.try_map(slices_of(plain, 3), sum).at(2).value(), 21);
  const std::vector<std::string> words{"a", "b", "c"};
  std::vector<std::size_t> lengths;
  for (const std::size_t n :
       this->pool.imap(slices_of(words, 2), [](std::span<const std::string> s) { return s.size(); }))
    lengths.push_back(n);
  EXPECT_EQ(lengths, (std::vector<std::size_t>{2, 1})) << "spans of what is more than bytes, sent one by one";
  EXPECT_EQ(this->pool.map(zip(slices_of(plain, 4), slices_of(words, 1)),
                           [](std::span<const int> row, std::span<const std::string> word) {
                             return word[0] + std::to_string(row.size());
                           }),
            (std::vector<std::string>{"a4", "b4", "c2"}));
}

TYPED_TEST(slices_of_length, of_two_images_are_zipped_and_changed_in_place) {
  const shared_vector<double> to(95);
  const numbers from = counted(95);
  this->pool.for_each(zip(slices_of(to, 10), slices_of(from, 10), indices(10)),
                      [](std::span<double> row, std::span<const int> source, std::size_t y) {
                        for (std::size_t x = 0; x != row.size(); ++x)
                          row[x] = source[x] + 1000.0 * static_cast<double>(y);
                      });
  for (std::size_t i = 0; i != to.size(); ++i)
    ASSERT_EQ(to[i], static_cast<double>(i) + 1000.0 * static_cast<double>(i / 10));
}

// An attempt in place is undone before the next, also of the last, shorter slice.
TEST(slices_of_length, are_as_they_were_before_the_next_attempt) {
  process_pool pool(2U);
  const shared_vector<int> cake(25, 1);
  const shared<std::atomic<int>> deaths(0);
  pool.with({.chunk = 1, .attempts = 2})
      .for_each(
          slices_of(cake, 10),
          [](std::span<int> slice, const shared<std::atomic<int>>& died) {
            for (int& x : slice) x += 1;
            if (slice.size() == 5 && died->fetch_add(1) == 0) std::abort();
          },
          deaths);
  EXPECT_EQ(deaths->load(), 2);
  for (const int x : cake) ASSERT_EQ(x, 2);
}

}  // namespace
