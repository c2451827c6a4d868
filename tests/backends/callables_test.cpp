// What may be called, and how a slice arrives at it: the parameter decides.
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using detail::in_shared_memory;
using forkful_tests::every_pool;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;
using forkful_tests::ships;

template <class Pool>
using callables = on_every_pool<Pool>;
TYPED_TEST_SUITE(callables, every_pool, pool_names);

int twice(int x) { return 2 * x; }
int thrice(int x) noexcept { return 3 * x; }
std::size_t length(const std::string& text) { return text.size(); }

struct square {
  int operator()(int x) const { return x * x; }
};
struct of_any_type {
  template <class T>
  T operator()(const T& x) const {
    return x + x;
  }
};
struct overloaded {
  int operator()(int x) const { return x + 1; }
  std::string operator()(const std::string& x) const { return x + "1"; }
};

const std::vector<int> numbers{1, 2, 3};
const std::vector<std::string> words{"", "cake", "a slice of cake that is longer than a small string"};

TYPED_TEST(callables, may_be_functions_by_name_or_pointer) {
  EXPECT_EQ(this->pool.map(numbers, twice), (std::vector<int>{2, 4, 6}));
  EXPECT_EQ(this->pool.map(numbers, &twice), (std::vector<int>{2, 4, 6}));
  EXPECT_EQ(this->pool.map(numbers, thrice), (std::vector<int>{3, 6, 9}));
  int (*const chosen)(int) = numbers.size() == 3 ? twice : nullptr;
  EXPECT_EQ(this->pool.map(numbers, chosen), (std::vector<int>{2, 4, 6}));
  EXPECT_EQ(this->pool.map(words, length), (std::vector<std::size_t>{0, 4, 50}));
}

TYPED_TEST(callables, may_be_stateless_objects) {
  EXPECT_EQ(this->pool.map(numbers, square{}), (std::vector<int>{1, 4, 9}));
  EXPECT_EQ(this->pool.map(numbers, of_any_type{}), (std::vector<int>{2, 4, 6}));
  EXPECT_EQ(this->pool.map(words, of_any_type{})[1], "cakecake");
  EXPECT_EQ(this->pool.map(numbers, overloaded{}), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(this->pool.map(words, overloaded{})[1], "cake1");
  EXPECT_EQ(this->pool.map(numbers, std::negate<>{}), (std::vector<int>{-1, -2, -3}));
}

TYPED_TEST(callables, may_be_lambdas_const_noexcept_or_mutable) {
  const auto constant = [](int x) { return x + 1; };
  EXPECT_EQ(this->pool.map(numbers, constant), (std::vector<int>{2, 3, 4}));
  auto variable = [](int x) noexcept { return x + 1; };
  EXPECT_EQ(this->pool.map(numbers, variable), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(this->pool.map(numbers, [](int x) mutable { return ++x; }), (std::vector<int>{2, 3, 4}));
  static constexpr auto literal = [](int x) { return x + 1; };
  EXPECT_EQ(this->pool.map(numbers, literal), (std::vector<int>{2, 3, 4}));
}

TYPED_TEST(callables, may_be_generic) {
  EXPECT_EQ(this->pool.map(words, [](const auto& word) { return word.size(); }), (std::vector<std::size_t>{0, 4, 50}));
  EXPECT_EQ(this->pool.map(words, [](auto word) { return std::move(word) + "!"; })[1], "cake!");
  EXPECT_EQ(this->pool.map(words, [](auto&& word) { return word.size(); }), (std::vector<std::size_t>{0, 4, 50}));
  EXPECT_EQ(this->pool.map(words, [](auto& word) { return word.size(); }), (std::vector<std::size_t>{0, 4, 50}));
  EXPECT_EQ(
      this->pool.map(
          numbers, [](const auto& x, auto y, const auto&... more) { return x + y + (more + ...); }, 10, 100, 1000),
      (std::vector<int>{1111, 1112, 1113}));
}

TYPED_TEST(callables, take_a_slice_by_value_reference_or_rvalue_reference) {
  EXPECT_EQ(this->pool.map(words, [](std::string word) { return word.append("!"); })[1], "cake!");
  EXPECT_EQ(this->pool.map(words, [](const std::string word) { return word + "!"; })[1], "cake!");
  EXPECT_EQ(this->pool.map(words, [](const std::string& word) { return word + "!"; })[1], "cake!");
  EXPECT_EQ(this->pool.map(words, [](std::string& word) { return word.append("!"); })[1], "cake!");
  EXPECT_EQ(this->pool.map(words, [](std::string&& word) { return std::move(word).append("!"); })[1], "cake!");
  EXPECT_EQ(this->pool.map(words, [](const std::string&& word) { return word + "!"; })[1], "cake!");
  EXPECT_EQ(words[1], "cake");
  EXPECT_EQ(this->pool.map(numbers, [](int& x) { return ++x; }), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(this->pool.map(numbers, [](int&& x) { return ++x; }), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(this->pool.map(numbers, [](const int& x) { return x + 1; }), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(this->pool.map(numbers, [](double x) { return x / 2; }), (std::vector<double>{0.5, 1, 1.5}));
  EXPECT_EQ(this->pool.map(shared_vector<shared_string>{shared_string("cake")},
                           [](shared_string&& word) { return std::move(word).append("!"); })[0],
            "cake!");
}

// Where a view points: on a process_pool it must be memory that workers share, else the slice was decoded.
template <class Pool>
bool read_in_place(const void* data, std::size_t bytes) {
  return !ships<Pool> || in_shared_memory(data, bytes);
}

TYPED_TEST(callables, read_text_where_it_lies) {
  EXPECT_EQ(this->pool.map(words, [](std::string_view word) { return std::string(word); }), words);
  EXPECT_EQ(this->pool.map(words, [](const std::string_view& word) { return word.size(); }),
            (std::vector<std::size_t>{0, 4, 50}));
  const std::vector<std::string> large(20, std::string(100'000, 'x'));
  EXPECT_EQ(
      this->pool.map(large, [](std::string_view text) { return read_in_place<TypeParam>(text.data(), text.size()); }),
      std::vector<bool>(20, true));
  const shared_vector<shared_string> shared(20, shared_string(1000, 'x'));
  EXPECT_EQ(
      this->pool.map(shared, [](std::string_view text) { return read_in_place<TypeParam>(text.data(), text.size()); }),
      std::vector<bool>(20, true));
  EXPECT_EQ(
      this->pool.map(std::vector<std::string_view>{"a", "slice"}, [](std::string_view text) { return text.size(); }),
      (std::vector<std::size_t>{1, 5}));
}

TYPED_TEST(callables, read_runs_of_numbers_where_they_lie) {
  const std::vector<std::vector<double>> rows(20, std::vector<double>(1000, 0.5));
  const auto sum = [](std::span<const double> row) {
    if (!read_in_place<TypeParam>(row.data(), row.size_bytes())) return -1.0;
    double total = 0;
    for (const double x : row) total += x;
    return total;
  };
  EXPECT_EQ(this->pool.map(rows, sum), std::vector<double>(20, 500));

  shared_vector<shared_vector<double>> shared;
  for (int i = 0; i < 20; ++i) shared.emplace_back(1000U, 0.5);
  EXPECT_EQ(this->pool.map(shared, sum), std::vector<double>(20, 500));

  const std::vector<std::vector<std::string>> lists{{"a", "slice"}, {}, {"of cake"}};
  EXPECT_EQ(this->pool.map(lists, [](std::span<const std::string> list) { return list.size(); }),
            (std::vector<std::size_t>{2, 0, 1}));
}

TYPED_TEST(callables, by_value_may_have_captures) {
  int add = 10;
  EXPECT_EQ(this->pool.map(numbers, by_value([add](int x) { return x + add; })), (std::vector<int>{11, 12, 13}));
  const auto promised = by_value([add](const auto& x) { return x + add; });
  EXPECT_EQ(this->pool.map(numbers, promised), (std::vector<int>{11, 12, 13}));
  int calls = 0;
  this->pool.for_each(numbers, by_value([calls](int) mutable { ++calls; }));
  EXPECT_EQ(calls, 0);
}

TYPED_TEST(callables, know_where_they_run) {
  EXPECT_FALSE(in_worker());
  EXPECT_EQ(worker_index(), 0U);
  const auto places = this->pool.map(indices(1000), [](std::size_t) { return std::pair(in_worker(), worker_index()); });
  for (const auto& [inside, worker] : places) {
    ASSERT_TRUE(inside);
    ASSERT_LT(worker, this->pool.size());
  }
  EXPECT_FALSE(in_worker());
}

}  // namespace
