// What map gives back: one result a slice, in input order, of any type that owns its data.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;

template <class Pool>
using results = on_every_pool<Pool>;
TYPED_TEST_SUITE(results, every_pool, pool_names);

TYPED_TEST(results, are_as_many_as_slices_and_in_their_order) {
  for (const std::size_t slices : {0U, 1U, 2U, 3U, 4U, 1000U, 100'000U}) {
    const std::vector<std::size_t> got = this->pool.map(indices(slices), [](std::size_t i) { return 3 * i; });
    ASSERT_EQ(got.size(), slices);
    for (std::size_t i = 0; i < slices; ++i) ASSERT_EQ(got[i], 3 * i);
  }
}

TYPED_TEST(results, are_ten_million_of_ten_million_slices) {
  const std::vector<int> got =
      this->pool.map(indices(10'000'000), [](std::size_t i) { return static_cast<int>(i % 1000) - 7; });
  ASSERT_EQ(got.size(), 10'000'000U);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < got.size(); ++i) wrong += got[i] != static_cast<int>(i % 1000) - 7 ? 1 : 0;
  EXPECT_EQ(wrong, 0U);
}

TYPED_TEST(results, are_strings_from_empty_to_megabytes) {
  const std::vector<std::size_t> sizes{0, 1, 15, 16, 17, 0, 1000, 65'535, 1 << 20, 3, (1 << 24) + 1, 0};
  const std::vector<std::string> got = this->pool.map(sizes, [](std::size_t size) {
    std::string text(size, 'x');
    if (size != 0) text.back() = 'y';
    return text;
  });
  ASSERT_EQ(got.size(), sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::string wanted(sizes[i], 'x');
    if (!wanted.empty()) wanted.back() = 'y';
    EXPECT_TRUE(got[i] == wanted) << "a string of " << sizes[i];
  }
}

// Neither copied nor made from nothing.
class cake {
 public:
  explicit cake(int number) : number_(number) {}
  cake(cake&&) = default;
  cake& operator=(cake&&) = default;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

template <>
struct forkful::codec<cake> {
  static void write(sink& out, const cake& value) { out.write(value.number()); }
  static cake read(source& in) { return cake(in.read<int>()); }
};

namespace {

TYPED_TEST(results, may_only_move_and_need_no_default_constructor) {
  const std::vector<cake> got = this->pool.map(indices(1000), [](std::size_t i) { return cake(static_cast<int>(i)); });
  ASSERT_EQ(got.size(), 1000U);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(got[static_cast<std::size_t>(i)].number(), i);

  const auto nested = this->pool.map(indices(10), [](std::size_t i) {
    std::vector<cake> some;
    for (std::size_t k = 0; k < i; ++k) some.emplace_back(static_cast<int>(i * 100 + k));
    return std::pair(i, std::move(some));
  });
  ASSERT_EQ(nested.size(), 10U);
  ASSERT_EQ(nested[9].second.size(), 9U);
  EXPECT_EQ(nested[9].second[8].number(), 908);
}

class ticket {
 public:
  explicit ticket(int number) : number_(number) {}
  ticket(ticket&&) = default;
  ticket& operator=(ticket&&) = default;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

template <>
inline constexpr bool forkful::enable_bitwise<ticket> = true;

namespace {

TYPED_TEST(results, of_plain_bytes_may_only_move) {
  const std::vector<ticket> got =
      this->pool.map(indices(1000), [](std::size_t i) { return ticket(static_cast<int>(i)); });
  ASSERT_EQ(got.size(), 1000U);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(got[static_cast<std::size_t>(i)].number(), i);
}

struct sealed {
  const int number;
};
struct sealed_label {
  const int number;
  const std::string text;
};

// Found: results went into the vector by a way that assigns.
TYPED_TEST(results, may_have_const_members) {
  const auto plain = this->pool.map(indices(100), [](std::size_t i) { return sealed{static_cast<int>(i)}; });
  ASSERT_EQ(plain.size(), 100U);
  EXPECT_EQ(plain[99].number, 99);
  const auto labels = this->pool.map(indices(100), [](std::size_t i) {
    return sealed_label{static_cast<int>(i), std::to_string(i) + " slices of cake"};
  });
  ASSERT_EQ(labels.size(), 100U);
  EXPECT_EQ(labels[99].text, "99 slices of cake");
}

TYPED_TEST(results, may_be_bools) {
  const std::vector<bool> got = this->pool.map(indices(1001), [](std::size_t i) { return i % 3 == 0; });
  ASSERT_EQ(got.size(), 1001U);
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], i % 3 == 0);

  const std::vector<std::vector<bool>> rows =
      this->pool.map(indices(20), [](std::size_t i) { return std::vector<bool>(i, true); });
  ASSERT_EQ(rows.size(), 20U);
  EXPECT_EQ(rows[19], std::vector<bool>(19, true));
}

struct alignas(128) wide {
  int number = 0;
  double room[20] = {};
};

TYPED_TEST(results, may_be_aligned_to_more_than_a_cache_line) {
  const std::vector<wide> got = this->pool.map(indices(40), [](std::size_t i) {
    wide made;
    made.number = static_cast<int>(i);
    made.room[19] = 0.5;
    return made;
  });
  ASSERT_EQ(got.size(), 40U);
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(got[static_cast<std::size_t>(i)].number, i);
    ASSERT_EQ(got[static_cast<std::size_t>(i)].room[19], 0.5);
  }
}

// Found: the reference outlived the slice that it referred to.
TYPED_TEST(results, returned_by_reference_are_copied_while_the_slice_is_there) {
  const std::vector<std::string> slices(100, std::string(100, 'x'));
  const std::vector<std::string> same =
      this->pool.map(slices, [](const std::string& slice) -> const std::string& { return slice; });
  EXPECT_EQ(same, slices);
  const std::vector<int> numbers =
      this->pool.map(std::vector<std::pair<int, std::string>>{{1, "one"}, {2, "two"}},
                     [](const std::pair<int, std::string>& slice) -> const int& { return slice.first; });
  EXPECT_EQ(numbers, (std::vector<int>{1, 2}));
}

TYPED_TEST(results, may_be_shared_vectors_whose_contents_change_owner) {
  std::vector<shared_vector<double>> got = this->pool.map(indices(50), [](std::size_t i) {
    shared_vector<double> row(i);
    for (std::size_t k = 0; k < i; ++k) row[k] = static_cast<double>(100 * i + k);
    return row;
  });
  ASSERT_EQ(got.size(), 50U);
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].size(), i);
    for (std::size_t k = 0; k < i; ++k) ASSERT_EQ(got[i][k], static_cast<double>(100 * i + k));
  }
  EXPECT_NO_THROW(got[7].push_back(1.0)) << "it is the caller's to change now";
  EXPECT_EQ(got[7].back(), 1.0);
}

struct baked {
  shared_string name;
  std::optional<shared<int>> candles;
  shared_vector<shared_string> guests;
};

TYPED_TEST(results, may_hold_handles_to_shared_memory_anywhere_inside) {
  const std::vector<baked> got = this->pool.map(indices(20), [](std::size_t i) {
    baked made{shared_string(30, 'n'), std::nullopt, {}};
    if (i % 2 == 0) made.candles.emplace(static_cast<int>(i));
    for (std::size_t k = 0; k < i; ++k) made.guests.emplace_back(std::to_string(k) + " is a guest with a long name");
    return made;
  });
  ASSERT_EQ(got.size(), 20U);
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].name, shared_string(30, 'n'));
    ASSERT_EQ(got[i].candles.has_value(), i % 2 == 0);
    ASSERT_EQ(got[i].candles ? **got[i].candles : static_cast<int>(i), static_cast<int>(i));
    ASSERT_EQ(got[i].guests.size(), i);
    for (std::size_t k = 0; k < i; ++k)
      ASSERT_EQ(std::string(got[i].guests[k]), std::to_string(k) + " is a guest with a long name");
  }
}

}  // namespace
