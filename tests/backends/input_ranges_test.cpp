// What may stand where the slices go: any input range, borrowed or owned.
#include <array>
#include <deque>
#include <forward_list>
#include <iterator>
#include <list>
#include <map>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;

template <class Pool>
using input_ranges = on_every_pool<Pool>;
TYPED_TEST_SUITE(input_ranges, every_pool, pool_names);

constexpr auto doubled = [](int x) { return 2 * x; };
const std::vector<int> two_four_six{2, 4, 6};

std::vector<int> one_two_three() { return {1, 2, 3}; }
const std::vector<int> const_one_two_three() { return {1, 2, 3}; }

TYPED_TEST(input_ranges, may_be_containers_of_any_kind) {
  const std::vector<int> vector{1, 2, 3};
  EXPECT_EQ(this->pool.map(vector, doubled), two_four_six);
  std::deque<int> deque{1, 2, 3};
  EXPECT_EQ(this->pool.map(deque, doubled), two_four_six);
  std::list<int> list{1, 2, 3};
  EXPECT_EQ(this->pool.map(list, doubled), two_four_six);
  const std::forward_list<int> forward_list{1, 2, 3};
  EXPECT_EQ(this->pool.map(forward_list, doubled), two_four_six);
  const std::set<int> set{3, 1, 2};
  EXPECT_EQ(this->pool.map(set, doubled), two_four_six);
  std::array<int, 3> array{1, 2, 3};
  EXPECT_EQ(this->pool.map(array, doubled), two_four_six);
  const int c_array[3] = {1, 2, 3};
  EXPECT_EQ(this->pool.map(c_array, doubled), two_four_six);
  const shared_vector<int> shared{1, 2, 3};
  EXPECT_EQ(this->pool.map(shared, doubled), two_four_six);
  EXPECT_EQ(this->pool.map(std::span(vector), doubled), two_four_six);
}

TYPED_TEST(input_ranges, may_be_text_bools_and_maps) {
  const std::string letters = "abc";
  const std::vector<char> upper =
      this->pool.map(letters, [](char letter) { return static_cast<char>(letter - 'a' + 'A'); });
  EXPECT_EQ(std::string(upper.begin(), upper.end()), "ABC");

  const std::vector<bool> bits{true, false, true};
  EXPECT_EQ(this->pool.map(bits, [](bool bit) { return !bit; }), (std::vector<bool>{false, true, false}));

  const std::map<std::string, int> ages{{"Ada", 36}, {"Brian", 41}, {"Grace", 85}};
  EXPECT_EQ(
      this->pool.map(
          ages, [](const std::pair<const std::string, int>& each) { return each.first + std::to_string(each.second); }),
      (std::vector<std::string>{"Ada36", "Brian41", "Grace85"}));
}

TYPED_TEST(input_ranges, may_be_rvalues_which_the_call_keeps_alive) {
  EXPECT_EQ(this->pool.map(one_two_three(), doubled), two_four_six);
  EXPECT_EQ(this->pool.map(const_one_two_three(), doubled), two_four_six);
  EXPECT_EQ(this->pool.map(std::list<int>{1, 2, 3}, doubled), two_four_six);
  EXPECT_EQ(this->pool.map(shared_vector<int>{1, 2, 3}, doubled), two_four_six);
}

TYPED_TEST(input_ranges, may_be_lists_in_braces) {
  EXPECT_EQ(this->pool.map({1, 2, 3}, doubled), two_four_six);
  EXPECT_EQ(this->pool.map(std::initializer_list<int>{}, doubled), std::vector<int>{});
  EXPECT_EQ(this->pool.starmap({std::pair{1, 2}, std::pair{3, 4}}, [](int a, int b) { return a * b; }),
            (std::vector<int>{2, 12}));
  const auto outcomes = this->pool.try_map({1, 2, 3}, doubled);
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(outcomes[2].value(), 6);
  shared_vector<int> out(3);
  this->pool.map_into(out, {1, 2, 3}, doubled);
  EXPECT_EQ(out[2], 6);
  const shared_vector<int> counted(4);
  this->pool.for_each(
      {1, 2, 3}, [](int x, const shared_vector<int>& seen) { ++seen[static_cast<std::size_t>(x)]; }, counted);
  EXPECT_EQ((std::vector<int>(counted.begin(), counted.end())), (std::vector<int>{0, 1, 1, 1}));
  EXPECT_EQ(this->pool.try_for_each({1, 2, 3}, [](int) {}).size(), 3U);
}

TYPED_TEST(input_ranges, may_be_walked_only_once) {
  std::istringstream text("1 2 3");
  EXPECT_EQ(
      this->pool.map(std::ranges::subrange(std::istream_iterator<int>(text), std::istream_iterator<int>()), doubled),
      two_four_six);
  std::istringstream more("4 5 6");
  EXPECT_EQ(this->pool.map(std::views::istream<int>(more), doubled), (std::vector<int>{8, 10, 12}));
  std::istringstream words("a cake for ten");
  EXPECT_EQ(
      this->pool.map(std::views::istream<std::string>(words), [](const std::string& word) { return word.size(); }),
      (std::vector<std::size_t>{1, 4, 3, 3}));
}

TYPED_TEST(input_ranges, may_be_views) {
  EXPECT_EQ(this->pool.map(std::views::iota(1, 4), doubled), two_four_six);
  std::vector<int> numbers{1, 2, 3, 4, 5, 6};
  const auto even = [](int x) { return x % 2 == 0; };
  EXPECT_EQ(this->pool.map(numbers | std::views::filter(even), [](int x) { return x; }), two_four_six);
  EXPECT_EQ(this->pool.map(numbers | std::views::take(3), doubled), two_four_six);
  EXPECT_EQ(this->pool.map(numbers | std::views::take(3) | std::views::transform(doubled), [](int x) { return x; }),
            two_four_six);
  EXPECT_EQ(this->pool.map(numbers | std::views::reverse, [](int x) { return x; }),
            (std::vector<int>{6, 5, 4, 3, 2, 1}));
  auto named = numbers | std::views::filter(even);
  EXPECT_EQ(this->pool.map(named, [](int x) { return x; }), two_four_six);
}

TYPED_TEST(input_ranges, of_iterators_that_point_back_to_their_view_may_be_moved) {
  std::vector<int> numbers{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(
      this->pool.map(zip(numbers | std::views::filter([](int x) { return x % 2 == 0; }), std::vector<int>{10, 20, 30}),
                     [](int a, int b) { return a + b; }),
      (std::vector<int>{12, 24, 36}));
}

TYPED_TEST(input_ranges, are_not_changed_by_map) {
  std::vector<std::string> words{"a cake that is longer than a small string", "b"};
  const auto before = words;
  const auto finished = this->pool.map(words, [](std::string& word) {
    word += "!";
    return word;
  });
  EXPECT_EQ(finished[1], "b!");
  EXPECT_EQ(words, before);
  const auto taken = this->pool.map(words, [](std::string word) { return word.append("?"); });
  EXPECT_EQ(taken[1], "b?");
  EXPECT_EQ(words, before);
  shared_vector<int> shared{1, 2, 3};
  EXPECT_EQ(this->pool.map(shared, [](int& x) { return ++x; }), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(shared[0], 1);
}

}  // namespace
