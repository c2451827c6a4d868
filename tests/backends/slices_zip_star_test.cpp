// slices(range, k), zip(a, b, ...) and starmap: several elements, or several ranges, at once.
#include <array>
#include <list>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::isolated;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;
using forkful_tests::ships;

template <class Pool>
using slices_zip_star = on_every_pool<Pool>;
TYPED_TEST_SUITE(slices_zip_star, every_pool, pool_names);

constexpr auto size_of = [](std::span<const int> slice) { return slice.size(); };
using sizes = std::vector<std::size_t>;

TYPED_TEST(slices_zip_star, slices_are_min_k_n_and_differ_by_at_most_one) {
  const std::vector<int> cake(10);
  const shared_vector<int> shared(10);
  EXPECT_EQ(this->pool.map(slices(cake, 3), size_of), (sizes{4, 3, 3}));
  EXPECT_EQ(this->pool.map(slices(shared, 3), size_of), (sizes{4, 3, 3}));
  for (const std::size_t k : {0U, 1U, 10U, 11U, 1000U}) {
    EXPECT_EQ(this->pool.map(slices(cake, k), size_of).size(), std::min<std::size_t>(k, 10)) << k;
    EXPECT_EQ(this->pool.map(slices(shared, k), size_of).size(), std::min<std::size_t>(k, 10)) << k;
  }
  EXPECT_EQ(this->pool.map(slices(std::vector<int>(), 3), size_of), sizes{});
}

TYPED_TEST(slices_zip_star, slices_hold_their_elements_in_any_chunk) {
  std::vector<int> cake(1001);
  for (int i = 0; i < 1001; ++i) cake[static_cast<std::size_t>(i)] = i;
  const shared_vector<int> shared(cake);
  const auto ends = [](std::span<const int> slice) { return std::pair(slice.front(), slice.back()); };
  for (const std::size_t chunk : {0U, 1U, 3U, 100U}) {
    auto using_chunk = this->pool.with({.chunk = chunk});
    for (const auto& got : {using_chunk.map(slices(cake, 40), ends), using_chunk.map(slices(shared, 40), ends)}) {
      ASSERT_EQ(got.size(), 40U);
      int next = 0;
      for (const auto& [first, last] : got) {
        ASSERT_EQ(first, next) << chunk;
        next = last + 1;
      }
      ASSERT_EQ(next, 1001);
    }
  }
}

TYPED_TEST(slices_zip_star, slices_of_strings_and_of_const_and_owned_containers) {
  std::vector<std::string> words{"a", "slice", "of", "cake"};
  const auto join = [](std::span<const std::string> slice) {
    std::string all;
    for (const auto& word : slice) all += word + " ";
    return all;
  };
  const std::vector<std::string> joined{"a slice ", "of cake "};
  EXPECT_EQ(this->pool.map(slices(words, 2), join), joined);
  EXPECT_EQ(this->pool.map(slices(std::as_const(words), 2), join), joined);
  EXPECT_EQ(this->pool.map(slices(std::vector<std::string>(words), 2), join), joined);
  const shared_vector<shared_string> shared(words);
  EXPECT_EQ(
      this->pool.map(slices(shared, 2), [](std::span<const shared_string> slice) { return std::string(slice[1]); }),
      (std::vector<std::string>{"slice", "cake"}));
  EXPECT_EQ(this->pool.map(slices(words, 2), [](const auto& slice) { return slice.size(); }), (sizes{2, 2}));
  EXPECT_EQ(this->pool.map(slices(std::string("cakes"), 2), [](std::span<const char> slice) { return slice.size(); }),
            (sizes{3, 2}));
}

TYPED_TEST(slices_zip_star, slices_of_shared_memory_are_changed_in_place) {
  const shared_vector<double> cake(1000, 1.0);
  for (const std::size_t k : {0U, 1U, 7U, 1000U, 5000U}) {
    this->pool.for_each(slices(cake, k), [](std::span<double> slice) {
      for (double& x : slice) x += 1;
    });
  }
  for (const double x : cake) ASSERT_EQ(x, 5.0);
  EXPECT_EQ(this->pool.report().bytes_in, 0U);
  this->pool.for_each(slices(cake, 7), [](auto& slice) { slice[0] = 0; });
  EXPECT_EQ(cake[0], 0.0);
  this->pool.for_each(slices(cake, 7), [](auto slice) { slice[0] = -1; });
  EXPECT_EQ(cake[0], -1.0);
  this->pool.for_each(slices(cake.span(), 7), [](std::span<double> slice) { slice[0] = -2; });
  EXPECT_EQ(cake[0], -2.0);
  shared_vector<shared_string> names(10);
  this->pool.for_each(slices(names, 3), [](std::span<shared_string> slice) {
    for (auto& name : slice) name.assign(100, 'n');
  });
  EXPECT_EQ(names[9].size(), 100U);
  const shared_vector<bool> bits(9);
  this->pool.for_each(slices(bits, 2), [](std::span<bool> slice) { slice[0] = true; });
  EXPECT_TRUE(bits[0] && bits[5] && !bits[1]);
}

TYPED_TEST(slices_zip_star, slices_of_ordinary_memory_are_read) {
  const shared<std::atomic<int>> sum(0);
  const std::vector<int> cake(100, 2);
  this->pool.for_each(
      slices(cake, 7),
      [](std::span<const int> slice, const shared<std::atomic<int>>& s) {
        for (const int x : slice) *s += x;
      },
      sum);
  EXPECT_EQ(sum->load(), 200);
}

TYPED_TEST(slices_zip_star, a_list_of_spans_is_a_range_like_any_other) {
  const shared_vector<int> shared{1, 2, 3, 4};
  const std::vector<std::span<int>> spans{shared.span().first(1), shared.span().last(2)};
  EXPECT_EQ(this->pool.map(spans, size_of), (sizes{1, 2}));
  EXPECT_EQ(this->pool.report().bytes_in, 0U);
  this->pool.for_each(spans, [](std::span<int> slice) { slice[0] = 0; });
  EXPECT_EQ(shared[0], 0);
  EXPECT_EQ(shared[1], 2);
  EXPECT_EQ(shared[2], 0);
  const std::vector<int> plain{1, 2, 3};
  EXPECT_EQ(this->pool.map(std::vector<std::span<const int>>{plain, std::span(plain).first(1)}, size_of),
            (sizes{3, 1}));
}

TYPED_TEST(slices_zip_star, zip_of_two_and_three) {
  const std::vector<int> a{1, 2, 3};
  const std::list<std::string> b{"one", "two", "three", "four"};
  const shared_vector<double> c{0.5, 1.5, 2.5};
  EXPECT_EQ(this->pool.map(zip(a, b), [](int x, const std::string& y) { return y + std::to_string(x); }),
            (std::vector<std::string>{"one1", "two2", "three3"}));
  EXPECT_EQ(this->pool.map(zip(a, b, c),
                           [](int x, std::string_view y, double z) { return z + x + static_cast<double>(y.size()); }),
            (std::vector<double>{4.5, 6.5, 10.5}));
  EXPECT_EQ(this->pool.map(zip(a, c), [](const auto& x, auto y) { return x + y; }),
            (std::vector<double>{1.5, 3.5, 5.5}));
  EXPECT_EQ(this->pool.map(zip(a, std::vector<int>()), [](int x, int y) { return x + y; }), std::vector<int>{});
  EXPECT_EQ(this->pool.map(zip(indices(3), a), [](std::size_t i, int x) { return static_cast<int>(i) * x; }),
            (std::vector<int>{0, 2, 6}));
  EXPECT_EQ(this->pool.map(zip(a), [](int x) { return x + 1; }), (std::vector<int>{2, 3, 4}));
}

TYPED_TEST(slices_zip_star, zip_of_shared_memory_copies_only_the_rest) {
  const shared_vector<double> a(1000, 1.0);
  const shared_vector<shared_string> b(1000, shared_string(100, 'x'));
  const auto f = [](double x, const shared_string& y) { return x + static_cast<double>(y.size()); };
  EXPECT_EQ(this->pool.map(zip(a, b), f), std::vector<double>(1000, 101));
  EXPECT_EQ(this->pool.report().bytes_in, 0U);
  const std::vector<int> c(1000, 5);
  EXPECT_EQ(this->pool.map(zip(a, c), [](double x, int y) { return x + y; }), std::vector<double>(1000, 6));
  if (ships<TypeParam>) {
    EXPECT_GE(this->pool.report().bytes_in, 4000U);
  } else {
    EXPECT_EQ(this->pool.report().bytes_in, 0U);
  }
}

TYPED_TEST(slices_zip_star, zip_is_changed_in_place_where_it_is_shared) {
  const shared_vector<double> out(1000);
  const std::vector<int> in(1000, 3);
  shared_vector<shared_string> names(1000);
  this->pool.for_each(zip(out, in, names), [](double& o, const int& i, shared_string& name) {
    o = 2.0 * i;
    name.assign(50, 'n');
  });
  for (const double x : out) ASSERT_EQ(x, 6.0);
  for (const auto& name : names) ASSERT_EQ(name.size(), 50U);
  this->pool.for_each(zip(slices(out, 10), slices(in, 10)), [](std::span<double> o, std::span<const int> i) {
    for (std::size_t k = 0; k < o.size(); ++k) o[k] = i[k];
  });
  for (const double x : out) ASSERT_EQ(x, 3.0);
  this->pool.for_each(zip(out, names), [](auto& o, const auto& name) { o = static_cast<double>(name.size()); });
  for (const double x : out) ASSERT_EQ(x, 50.0);
}

TYPED_TEST(slices_zip_star, zip_finds_ordinary_memory_behind_spans) {
  if constexpr (isolated<TypeParam>) {
    std::vector<int> plain(3);
    const shared_vector<int> shared(3);
    EXPECT_THROW(this->pool.for_each(zip(shared, std::span(plain)), [](int&, int& y) { y = 1; }), not_shared);
    EXPECT_NO_THROW(this->pool.for_each(zip(shared, std::span(plain)), [](int& x, int) { x = 1; }));
    EXPECT_EQ(shared[2], 1);
  }
}

TYPED_TEST(slices_zip_star, members_of_tuples_become_arguments) {
  const std::vector<std::tuple<int, std::string, double>> rows{{1, "one", 0.5}, {2, "two", 1.5}};
  EXPECT_EQ(
      this->pool.starmap(rows, [](int a, const std::string& b, double c) { return b + std::to_string(a + int(c)); }),
      (std::vector<std::string>{"one1", "two3"}));
  EXPECT_EQ(this->pool.starmap(
                rows, [](auto a, std::string_view b, const auto& c) { return a + c + static_cast<double>(b.size()); }),
            (std::vector<double>{4.5, 6.5}));
  EXPECT_EQ(this->pool.starmap(std::vector<std::array<int, 2>>{{1, 2}, {3, 4}}, [](int a, int b) { return a * b; }),
            (std::vector<int>{2, 12}));
  EXPECT_EQ(this->pool.starmap(
                std::list<std::pair<std::string, std::vector<int>>>{{"a", {1, 2}}},
                [](std::string&& a, std::span<const int> b) { return std::move(a) + std::to_string(b.size()); }),
            std::vector<std::string>{"a2"});
  EXPECT_EQ(this->pool.starmap(zip(std::vector{1, 2}, std::vector{3, 4}), [](int a, int b) { return a * b; }),
            (std::vector<int>{3, 8}));
  EXPECT_EQ(this->pool.starmap(std::vector<std::tuple<int>>{{1}}, [](int a) { return a; }), std::vector<int>{1});
  EXPECT_TRUE(this->pool.starmap(std::vector<std::pair<int, int>>{}, [](int a, int) { return a; }).empty());
}

TYPED_TEST(slices_zip_star, tuples_are_a_slice_each_without_star) {
  const std::vector<std::pair<int, std::string>> rows{{1, "one"}, {2, "two"}};
  EXPECT_EQ(this->pool.map(rows, [](const std::pair<int, std::string>& row) { return row.second; }),
            (std::vector<std::string>{"one", "two"}));
}

}  // namespace
