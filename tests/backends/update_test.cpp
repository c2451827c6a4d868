// update: ordinary containers changed as if in place. Finished slices come back, a failed one never does.
#include <array>
#include <deque>
#include <list>
#include <span>
#include <stdexcept>
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
using update = on_every_pool<Pool>;
TYPED_TEST_SUITE(update, every_pool, pool_names);

TYPED_TEST(update, changes_ordinary_containers) {
  std::vector<int> numbers(10'000);
  this->pool.update(numbers, [](int& x) { x += 7; });
  EXPECT_EQ(numbers, std::vector<int>(10'000, 7));

  std::vector<std::string> words(100, "cake");
  this->pool.update(words, [](std::string& word) { word += " that is longer than a small string"; });
  EXPECT_EQ(words, std::vector<std::string>(100, "cake that is longer than a small string"));

  std::deque<double> deque{1, 2};
  this->pool.update(deque, [](double& x) { x /= 2; });
  EXPECT_EQ(deque, (std::deque<double>{0.5, 1}));
  std::list<std::vector<int>> list{{1}, {}};
  this->pool.update(list, [](std::vector<int>& row) { row.push_back(5); });
  EXPECT_EQ(list, (std::list<std::vector<int>>{{1, 5}, {5}}));
  std::array<std::pair<int, std::string>, 2> array{{{1, "a"}, {2, "b"}}};
  this->pool.update(array, [](std::pair<int, std::string>& each) { each.second += std::to_string(each.first++); });
  EXPECT_EQ(array[1], std::pair(3, std::string("b2")));
  std::vector<bool> bits{true, false};
  this->pool.update(bits, [](bool& bit) { bit = !bit; });
  EXPECT_EQ(bits, (std::vector<bool>{false, true}));
}

TYPED_TEST(update, changes_shared_containers_and_generic_callables_work) {
  shared_vector<int> shared{1, 2, 3};
  this->pool.update(shared, [](auto& x) { x *= 2; });
  EXPECT_EQ(shared[2], 6);
  shared_vector<shared_string> texts(3, shared_string("cake"));
  this->pool.update(texts, [](shared_string& text) { text.append(100, '!'); });
  EXPECT_EQ(texts[2].size(), 104U);
  std::vector<std::string> words{"a"};
  this->pool.update(words, [](auto& word) { word += "b"; });
  EXPECT_EQ(words[0], "ab");
}

TYPED_TEST(update, changes_slices_of_containers) {
  for (const std::size_t k : {1U, 3U, 10U, 50U}) {
    std::vector<double> cake(10, 1.0);
    this->pool.update(slices(cake, k), [](std::span<double> slice) {
      for (double& x : slice) x += static_cast<double>(slice.size());
    });
    double total = 0;
    for (const double x : cake) total += x;
    const double wanted = k == 1 ? 110 : k == 3 ? 10 + 16 + 9 + 9 : 20;
    EXPECT_EQ(total, wanted) << k;
  }
  std::vector<std::string> words(10, "cake");
  this->pool.update(slices(words, 3), [](std::span<std::string> slice) {
    for (auto& word : slice) word += "!";
  });
  EXPECT_EQ(words, std::vector<std::string>(10, "cake!"));
  this->pool.update(slices(words, 3), [](auto slice) { slice[0] += "!"; });
  EXPECT_EQ(words[0], "cake!!");
  EXPECT_EQ(words[1], "cake!");
  shared_vector<int> shared(10, 1);
  this->pool.update(slices(shared, 4), [](std::span<int> slice) { slice[0] = 0; });
  EXPECT_EQ(shared[0], 0);
  EXPECT_EQ(shared[1], 1);
}

TYPED_TEST(update, of_no_slices_does_nothing) {
  std::vector<int> none;
  this->pool.update(none, [](int& x) { ++x; });
  EXPECT_TRUE(this->pool.try_update(none, [](int& x) { ++x; }).empty());
  this->pool.update(slices(none, 3), [](std::span<int>) {});
}

TYPED_TEST(update, never_puts_back_the_failed_slice) {
  std::vector<int> numbers(100, 1);
  const auto half = [](int& x) {
    x = 2;
    if (worker_index() < 100 && x == 2) throw std::runtime_error("half done");
  };
  EXPECT_THROW(this->pool.update(numbers, half), std::runtime_error);
  EXPECT_EQ(numbers, std::vector<int>(100, 1));
}

TYPED_TEST(update, puts_back_all_slices_below_the_failed_one) {
  for (const std::size_t chunk : {0U, 1U, 7U, 1000U}) {
    std::vector<int> numbers(1000);
    for (int i = 0; i < 1000; ++i) numbers[static_cast<std::size_t>(i)] = i;
    EXPECT_THROW(this->pool.with({.chunk = chunk})
                     .update(numbers,
                             [](int& x) {
                               const int was = x;
                               x = -x;
                               if (was == 600) throw std::out_of_range("600");
                             }),
                 std::out_of_range);
    for (int i = 0; i < 600; ++i) ASSERT_EQ(numbers[static_cast<std::size_t>(i)], -i) << chunk;
    ASSERT_EQ(numbers[600], 600) << chunk;
    for (int i = 601; i < 1000; ++i) ASSERT_EQ(std::abs(numbers[static_cast<std::size_t>(i)]), i) << chunk;
  }
}

TYPED_TEST(update, that_tries_puts_back_all_but_the_failed) {
  std::vector<std::string> words;
  for (int i = 0; i < 200; ++i) words.push_back(std::to_string(i));
  const auto outcomes = this->pool.try_update(words, [](std::string& word) {
    word += "!";
    if (word.size() == 2) throw std::length_error(word);
  });
  ASSERT_EQ(outcomes.size(), 200U);
  for (std::size_t i = 0; i < 200; ++i) {
    ASSERT_EQ(outcomes[i].has_value(), i >= 10);
    ASSERT_EQ(words[i], std::to_string(i) + (i < 10 ? "" : "!"));
  }
  EXPECT_EQ(outcomes[3].failure().what, "3!");
  EXPECT_THROW(outcomes[3].value(), std::length_error);
}

}  // namespace
