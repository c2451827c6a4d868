// indices, slices and zip as ranges, and how any range is addressed by index.
#include <gtest/gtest.h>
#include <forkful/slices.hpp>

#include <cstdint>
#include <forward_list>
#include <iterator>
#include <list>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

static_assert(std::ranges::random_access_range<forkful::index_range>);
static_assert(std::ranges::sized_range<forkful::slice_range<std::vector<int>&>>);
static_assert(std::ranges::random_access_range<forkful::slice_range<std::vector<int>&>>);

template <class Range>
auto listed(const Range& range) {
  std::vector<typename decltype(range.begin())::value_type> values;
  for (auto&& value : range) values.push_back(value);
  return values;
}

TEST(indices, are_the_numbers_below_n) {
  EXPECT_EQ(listed(forkful::indices(4)), (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_EQ(forkful::indices(0).size(), 0u);
  const auto range = forkful::indices(10);
  EXPECT_EQ(range.end() - range.begin(), 10);
  EXPECT_EQ(*(range.begin() + 7), 7u);
  EXPECT_EQ(range.begin()[3], 3u);
  EXPECT_LT(range.begin(), range.end());
}

TEST(slices, differ_in_length_by_at_most_one_and_cover_all) {
  for (std::size_t n = 0; n <= 25; ++n) {
    std::vector<int> values(n);
    for (std::size_t k = 0; k <= n + 3; ++k) {
      const auto cut = forkful::slices(values, k);
      ASSERT_EQ(cut.size(), std::min(k, n));
      const int* next = values.data();
      for (const std::span<int> slice : cut) {
        ASSERT_EQ(slice.data(), next);
        next += slice.size();
        ASSERT_GE(slice.size(), n / cut.size());
        ASSERT_LE(slice.size(), n / cut.size() + 1);
      }
      if (cut.size() != 0) {
        ASSERT_EQ(next, values.data() + n);
      }
    }
  }
}

TEST(slices, of_a_length_are_that_long_but_the_last_and_cover_all) {
  for (std::size_t n = 0; n <= 25; ++n) {
    std::vector<int> values(n);
    for (const std::size_t length : {std::size_t{1}, std::size_t{3}, std::size_t{5}, std::size_t{24}, std::size_t{25},
                                     std::size_t{26}, SIZE_MAX}) {
      const auto cut = forkful::slices_of(values, length);
      ASSERT_EQ(cut.size(), n / length + (n % length == 0 ? 0 : 1)) << n << " in slices of " << length;
      const int* next = values.data();
      for (std::size_t i = 0; i != cut.size(); ++i) {
        ASSERT_EQ(cut[i].data(), next);
        ASSERT_EQ(cut[i].size(), i + 1 == cut.size() ? n - i * length : length);
        next += cut[i].size();
      }
      ASSERT_EQ(next, values.data() + n);
    }
  }
}

TEST(slices, of_no_length_are_refused) {
  std::vector<int> values(3);
  EXPECT_THROW((void)forkful::slices_of(values, 0), std::invalid_argument);
}

TEST(slices, borrow_lvalues_and_own_rvalues) {
  std::vector<int> values{1, 2, 3};
  forkful::slices(values, 1)[0][0] = 9;
  EXPECT_EQ(values[0], 9);
  const auto owned = forkful::slices(std::vector<int>{4, 5}, 2);
  EXPECT_EQ(owned[1][0], 5);
}

TEST(zip, is_as_long_as_the_shortest_and_refers_to_the_elements) {
  std::vector<int> a{1, 2, 3};
  std::list<std::string> b{"x", "y"};
  const auto both = forkful::zip(a, b);
  ASSERT_EQ(both.size(), 2u);
  std::get<0>(both[1]) = 20;
  std::get<1>(both[0]) += "!";
  EXPECT_EQ(a, (std::vector{1, 20, 3}));
  EXPECT_EQ(b.front(), "x!");
}

TEST(indexed, addresses_what_can_only_be_walked) {
  std::forward_list<int> walked{5, 6, 7};
  const forkful::detail::indexed<std::forward_list<int>&> by_index(walked);
  ASSERT_EQ(by_index.size(), 3u);
  by_index[2] = 70;
  EXPECT_EQ(walked, (std::forward_list<int>{5, 6, 70}));
}

TEST(indexed, keeps_what_can_be_walked_only_once) {
  struct words {
    std::istringstream text{"one two three"};
    auto begin() { return std::istream_iterator<std::string>(text); }
    static auto end() { return std::istream_iterator<std::string>(); }
  };
  const forkful::detail::indexed<words> by_index(words{});
  ASSERT_EQ(by_index.size(), 3u);
  EXPECT_EQ(by_index[2], "three");
  EXPECT_EQ(by_index[0], "one");
}

}  // namespace
