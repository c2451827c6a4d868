// The verbs that try: one bad slice costs one slice.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;

template <class Pool>
using outcomes = on_every_pool<Pool>;
TYPED_TEST_SUITE(outcomes, every_pool, pool_names);

TYPED_TEST(outcomes, hold_a_value_or_why_there_is_none) {
  for (const std::size_t chunk : {0U, 1U, 3U, 100U, 1000U}) {
    const std::vector<outcome<std::string>> got =
        this->pool.with({.chunk = chunk}).try_map(indices(300), [](std::size_t i) {
          if (i % 10 == 7) throw std::invalid_argument("slice " + std::to_string(i) + " is burnt");
          return std::to_string(i);
        });
    ASSERT_EQ(got.size(), 300U);
    for (std::size_t i = 0; i < 300; ++i) {
      ASSERT_EQ(got[i].has_value(), i % 10 != 7);
      if (got[i]) {
        ASSERT_EQ(got[i].value(), std::to_string(i));
        ASSERT_THROW((void)got[i].failure(), std::logic_error);
      } else {
        ASSERT_EQ(got[i].failure().what, "slice " + std::to_string(i) + " is burnt");
        ASSERT_EQ(got[i].failure().slice, i);
        ASSERT_EQ(got[i].failure().kind, failure_kind::exception);
        ASSERT_EQ(got[i].failure().type, "std::invalid_argument");
        ASSERT_THROW((void)got[i].value(), std::invalid_argument);
      }
    }
  }
}

TYPED_TEST(outcomes, of_all_good_all_bad_and_no_slices) {
  EXPECT_TRUE(this->pool.try_map(indices(0), [](std::size_t i) { return i; }).empty());
  for (const auto& each : this->pool.try_map(indices(1000), [](std::size_t i) { return i; })) ASSERT_TRUE(each);
  const auto bad = this->pool.try_map(indices(1000), [](std::size_t i) -> int { throw static_cast<int>(i); });
  ASSERT_EQ(bad.size(), 1000U);
  for (std::size_t i = 0; i < 1000; ++i) {
    ASSERT_FALSE(bad[i]);
    ASSERT_EQ(bad[i].failure().slice, i);
  }
  EXPECT_THROW((void)bad[0].value(), slice_error);
}

class number_of_my_own {
 public:
  explicit number_of_my_own(int n) : n_(n) {}
  number_of_my_own(number_of_my_own&&) = default;
  number_of_my_own& operator=(number_of_my_own&&) = default;
  [[nodiscard]] int get() const { return n_; }

 private:
  int n_;
};

}  // namespace

template <>
struct forkful::codec<number_of_my_own> {
  static void write(sink& out, const number_of_my_own& value) { out.write(value.get()); }
  static number_of_my_own read(source& in) { return number_of_my_own(in.read<int>()); }
};

namespace {

TYPED_TEST(outcomes, of_what_only_moves_and_of_bools) {
  auto got = this->pool.try_map(indices(100), [](std::size_t i) {
    if (i == 5) throw std::runtime_error("five");
    return number_of_my_own(static_cast<int>(i));
  });
  ASSERT_EQ(got.size(), 100U);
  EXPECT_FALSE(got[5]);
  const number_of_my_own taken = std::move(got[99]).value();
  EXPECT_EQ(taken.get(), 99);

  const auto bits = this->pool.try_map(indices(10), [](std::size_t i) { return i > 4; });
  EXPECT_FALSE(bits[4].value());
  EXPECT_TRUE(bits[5].value());
}

TYPED_TEST(outcomes, of_for_each_and_update) {
  shared_vector<int> shared(100);
  const auto in_place = this->pool.try_for_each(shared, [](int& x) {
    x = 1;
    if (worker_index() >= 1000) throw std::runtime_error("never");
  });
  ASSERT_EQ(in_place.size(), 100U);
  for (const auto& each : in_place) ASSERT_TRUE(each);

  const auto some = this->pool.try_for_each(indices(100), [](std::size_t i) {
    if (i % 2 == 1) throw std::runtime_error(std::to_string(i));
  });
  ASSERT_EQ(some.size(), 100U);
  for (std::size_t i = 0; i < 100; ++i) ASSERT_EQ(some[i].has_value(), i % 2 == 0);
  EXPECT_THROW(some[99].value(), std::runtime_error);
  EXPECT_NO_THROW(some[98].value());

  EXPECT_TRUE(this->pool.try_for_each(indices(0), [](std::size_t) {}).empty());
}

TYPED_TEST(outcomes, of_slices_that_are_decoded_one_after_another_stay_in_step) {
  std::vector<std::string> words;
  for (int i = 0; i < 300; ++i) words.emplace_back(static_cast<std::size_t>(i) * 7, static_cast<char>('a' + i % 26));
  const auto got = this->pool.with({.chunk = 50}).try_map(words, [](const std::string& word) {
    if (word.size() % 3 == 0) throw std::length_error("three");
    return word;
  });
  ASSERT_EQ(got.size(), 300U);
  for (std::size_t i = 0; i < 300; ++i) {
    ASSERT_EQ(got[i].has_value(), words[i].size() % 3 != 0);
    ASSERT_TRUE(!got[i] || *got[i] == words[i]) << i;
  }
}

TYPED_TEST(outcomes, of_slices_whose_parameters_stop_short_of_reading_them_all) {
  // The callable throws before its second part is looked at; the next slice must still begin where it begins.
  const std::vector<std::string> a(100, "first"), b(100, "second");
  const auto got = this->pool.with({.chunk = 20})
                       .try_map(zip(a, b, indices(100)), [](const std::string& x, const std::string& y, std::size_t i) {
                         if (i % 4 == 1) throw std::runtime_error("no");
                         return x + y;
                       });
  ASSERT_EQ(got.size(), 100U);
  for (std::size_t i = 0; i < 100; ++i) {
    ASSERT_EQ(got[i].has_value(), i % 4 != 1);
    EXPECT_EQ(got[i].value_or(""), i % 4 != 1 ? "firstsecond" : "");
  }
}

}  // namespace
