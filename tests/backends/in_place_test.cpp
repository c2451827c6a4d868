// for_each that changes slices where they lie, and map_into that writes results where they stay.
#include <atomic>
#include <cmath>
#include <numeric>
#include <span>
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
using in_place = on_every_pool<Pool>;
TYPED_TEST_SUITE(in_place, every_pool, pool_names);

TYPED_TEST(in_place, doubles_made_before_and_after_the_pool_are_changed) {
  shared_vector<double> before(100'000, 4.0);
  TypeParam later(2U);
  shared_vector<double> after(100'000, 9.0);
  for (auto* cake : {&before, &after}) {
    later.for_each(*cake, [](double& slice) { slice = std::sqrt(slice); });
  }
  for (const double slice : before) ASSERT_EQ(slice, 2.0);
  for (const double slice : after) ASSERT_EQ(slice, 3.0);
  EXPECT_EQ(later.report().bytes_in, 0U);
  EXPECT_EQ(later.report().bytes_out, 0U);
}

TYPED_TEST(in_place, strings_made_before_and_after_the_pool_grow_past_their_small_size) {
  shared_vector<shared_string> before(1000, shared_string("cake"));
  TypeParam later(2U);
  shared_vector<shared_string> after;
  for (int i = 0; i < 1000; ++i) after.emplace_back("cake");
  for (auto* cake : {&before, &after}) {
    for (int round = 0; round < 4; ++round) {
      later.for_each(*cake, [](shared_string& slice) { slice += " and some more of it"; });
    }
  }
  const shared_string wanted("cake and some more of it and some more of it and some more of it and some more of it");
  for (const auto& slice : before) ASSERT_EQ(slice, wanted);
  for (const auto& slice : after) ASSERT_EQ(slice, wanted);
  EXPECT_EQ(later.report().bytes_in, 0U);
  before[7].append(1000, '!');
  EXPECT_EQ(before[7].size(), wanted.size() + 1000) << "the caller may grow what a worker allocated";
  before.clear();
}

TYPED_TEST(in_place, nested_vectors_grow) {
  shared_vector<shared_vector<int>> rows(100);
  for (int round = 0; round < 3; ++round) {
    this->pool.for_each(rows, [](shared_vector<int>& row) {
      for (int i = 0; i < 50; ++i) row.push_back(i);
    });
  }
  for (const auto& row : rows) {
    ASSERT_EQ(row.size(), 150U);
    ASSERT_EQ(row[149], 49);
  }
}

struct guest {
  shared_string name;
  int plates;
  double weights[4];
};

TYPED_TEST(in_place, structs_are_changed) {
  shared_vector<guest> guests;
  for (int i = 0; i < 100; ++i) guests.push_back({shared_string("guest"), i, {}});
  this->pool.for_each(guests, [](guest& g) {
    g.name += " number " + shared_string(std::to_string(g.plates)) + ", who ate a lot";
    g.weights[3] = g.plates++;
  });
  EXPECT_EQ(guests[99].name, "guest number 99, who ate a lot");
  EXPECT_EQ(guests[99].plates, 100);
  EXPECT_EQ(guests[99].weights[3], 99.0);
}

TYPED_TEST(in_place, works_through_const_handles_spans_and_shared_allocators) {
  const shared_vector<int> constant{1, 2, 3};
  this->pool.for_each(constant, [](int& x) { x *= 10; });
  EXPECT_EQ(constant[2], 30);
  this->pool.for_each(constant.span(), [](int& x) { x *= 10; });
  EXPECT_EQ(constant[2], 300);
  this->pool.for_each(constant, [](auto& x) { x *= 10; });
  EXPECT_EQ(constant[2], 3000);
  std::vector<int, shared_allocator<int>> standard{1, 2, 3};
  this->pool.for_each(standard, [](int& x) { x *= 10; });
  EXPECT_EQ(standard[2], 30);
  const auto part = constant.span().subspan(1, 1);
  this->pool.for_each(part, [](int& x) { x = 0; });
  EXPECT_EQ(constant[0], 1000);
  EXPECT_EQ(constant[1], 0);
  EXPECT_EQ(constant[2], 3000);
}

TYPED_TEST(in_place, ten_million_numbers_each_once) {
  shared_vector<int> cake(10'000'000);
  this->pool.for_each(cake, [](int& slice) { ++slice; });
  std::size_t wrong = 0;
  for (const int slice : cake) wrong += slice != 1 ? 1 : 0;
  EXPECT_EQ(wrong, 0U);
}

TYPED_TEST(in_place, nothing_happens_to_no_slices) {
  shared_vector<int> none;
  EXPECT_NO_THROW(this->pool.for_each(none, [](int& x) { ++x; }));
  EXPECT_NO_THROW(this->pool.for_each(std::span<int>(), [](int& x) { ++x; }));
  EXPECT_EQ(this->pool.report().slices, 0U);
}

TYPED_TEST(in_place, a_callable_that_only_reads_takes_any_range_and_changes_nothing) {
  shared<std::atomic<int>> sum(0);
  std::vector<int> plain{1, 2, 3};
  this->pool.for_each(plain, [](const int& x, const shared<std::atomic<int>>& s) { *s += x; }, sum);
  this->pool.for_each(plain, [](int x, const shared<std::atomic<int>>& s) { *s += x++; }, sum);
  this->pool.for_each(
      std::vector<std::string>{"a", "bc"},
      [](std::string_view x, const shared<std::atomic<int>>& s) { *s += static_cast<int>(x.size()); }, sum);
  this->pool.for_each(plain, [](auto x, const auto& s) { *s += ++x; }, sum);
  EXPECT_EQ(sum->load(), 6 + 6 + 3 + 9);
  EXPECT_EQ(plain, (std::vector<int>{1, 2, 3}));
}

TYPED_TEST(in_place, ordinary_memory_behind_a_span_is_refused_when_the_call_starts) {
  if constexpr (isolated<TypeParam>) {
    std::vector<int> plain{1, 2, 3};
    const auto change = [](int& x) { ++x; };
    EXPECT_THROW(this->pool.for_each(std::span(plain), change), not_shared);
    const auto change_all = [](std::span<int> all) { all[0] = 0; };
    EXPECT_THROW(this->pool.for_each(std::vector<std::span<int>>{std::span(plain)}, change_all), not_shared);
    EXPECT_THROW(this->pool.for_each(slices(std::span(plain), 2), change_all), not_shared);
    EXPECT_EQ(plain, (std::vector<int>{1, 2, 3}));
    try {
      this->pool.for_each(std::span(plain), change);
      FAIL();
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), "not_shared");
      EXPECT_NE(std::string(refused.what()).find("shared_vector"), std::string::npos) << refused.what();
      EXPECT_NE(std::string(refused.what()).find("update()"), std::string::npos) << refused.what();
    }
  } else {
    std::vector<int> plain{1, 2, 3};
    this->pool.for_each(plain, [](int& x) { ++x; });
    this->pool.for_each(std::span(plain), [](int& x) { ++x; });
    EXPECT_EQ(plain, (std::vector<int>{3, 4, 5})) << "a pool in this process changes ordinary memory too";
  }
}

// Found: its letters were changed in a copy, because its allocator is that of shared memory.
TYPED_TEST(in_place, a_short_shared_string_outside_shared_memory_is_ordinary) {
  const auto shout = [](char& letter) { letter = '!'; };
  const shared_vector<shared_string> inside{shared_string("cake")};
  this->pool.for_each(inside[0], shout);
  EXPECT_EQ(inside[0], "!!!!");
  shared_string longer(100, 'x');
  this->pool.for_each(longer, shout);
  EXPECT_EQ(longer, shared_string(100, '!'));
  shared_string brief("cake");
  if constexpr (isolated<TypeParam>) {
    EXPECT_THROW(this->pool.for_each(brief, shout), not_shared);
    EXPECT_THROW(this->pool.for_each(slices(brief, 2), [](std::span<char> part) { part[0] = '!'; }), not_shared);
  }
  EXPECT_EQ(this->pool.map(zip(brief, indices(4)), [](char letter, std::size_t i) { return letter == "cake"[i]; }),
            std::vector<bool>(4, true));
}

TYPED_TEST(in_place, results_are_written_where_they_stay) {
  shared_vector<double> out(1000);
  this->pool.map_into(out, indices(1000), [](std::size_t i) { return 0.5 * static_cast<double>(i); });
  for (std::size_t i = 0; i < 1000; ++i) ASSERT_EQ(out[i], 0.5 * static_cast<double>(i));
  EXPECT_EQ(this->pool.report().bytes_in, 0U);
  EXPECT_EQ(this->pool.report().bytes_out, 0U);

  this->pool.map_into(out.span().first(3), std::vector<int>{7, 8, 9}, [](int x) { return x; });
  EXPECT_EQ(out[2], 9.0);
  EXPECT_EQ(out[3], 1.5);

  const shared_vector<shared_string> texts(100);
  this->pool.map_into(texts, indices(100), [](std::size_t i) { return shared_string(i, 'x'); });
  for (std::size_t i = 0; i < 100; ++i) ASSERT_EQ(texts[i], shared_string(i, 'x'));
  this->pool.map_into(shared_vector<int>(), indices(0), [](std::size_t) { return 1; });
}

TYPED_TEST(in_place, results_need_a_place_each) {
  shared_vector<int> out{1, 2, 3};
  const auto f = [](std::size_t) { return 9; };
  EXPECT_THROW(this->pool.map_into(out, indices(2), f), std::invalid_argument);
  EXPECT_THROW(this->pool.map_into(out, indices(4), f), std::invalid_argument);
  EXPECT_EQ((std::vector<int>(out.begin(), out.end())), (std::vector<int>{1, 2, 3}));
  std::vector<int> plain(3);
  if constexpr (isolated<TypeParam>) {
    EXPECT_THROW(this->pool.map_into(std::span(plain), indices(3), f), not_shared);
  } else {
    this->pool.map_into(plain, indices(3), f);
    EXPECT_EQ(plain, (std::vector<int>{9, 9, 9}));
  }
}

}  // namespace
