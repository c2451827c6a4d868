// Every verb over every view and adaptor of the standard library.
#include <array>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <valarray>

#include "ranges/every_verb.hpp"

namespace {

using namespace forkful_tests;
namespace views = std::views;

constexpr auto as_long = [](const auto& x) { return static_cast<long>(x); };
constexpr auto even = [](const auto& x) { return x % 2 == 0; };
constexpr auto below_six = [](const auto& x) { return x < 6; };
constexpr auto doubled = [](const auto& x) { return 2 * x; };
constexpr auto parsed = [](auto&& word) {
  std::string text;
  for (const char letter : word) text += letter;
  return std::stoi(text);
};

// Slices and callable are sent on one, and are where they were on the other.
class every_view : public testing::Test {
 protected:
  template <class Make>
  void check(Make make, const values& expected) {
    every_verb(processes_, make, as_long, expected);
    verbs_with_results(threads_, make, as_long, expected);
    lazy_verbs(threads_, make, as_long, expected);
  }
  // Of ranges without an end: the first results.
  template <class Pool, class Make>
  static void check_endless(Pool& pool, Make make, const values& expected) {
    values got;
    for (const long x : pool.imap(make(), as_long)) {
      got.push_back(x);
      if (got.size() == expected.size()) break;
    }
    EXPECT_EQ(got, expected);
    std::size_t some = 0;
    for (const auto& [index, x] : pool.imap_unordered(make(), as_long)) {
      EXPECT_EQ(x, index < expected.size() ? expected[index] : x);
      if (++some == expected.size()) break;
    }
  }
  template <class Make>
  void check_endless(Make make, const values& expected) {
    check_endless(processes_, make, expected);
    check_endless(threads_, make, expected);
    snapshots_.resize(2);
    check_endless(snapshots_, make, expected);
  }

  forkful::process_pool processes_{2U};
  forkful::thread_pool threads_{2U};
  forkful::snapshot_pool snapshots_{2U};
  std::vector<int> numbers_{0, 1, 2, 3, 4, 5, 6, 7};
};

TEST_F(every_view, iota) {
  check([] { return views::iota(0, 5); }, {0, 1, 2, 3, 4});
  check_endless([] { return views::iota(0); }, {0, 1, 2, 3, 4});
  check_endless([] { return views::iota(std::size_t{7}); }, {7, 8, 9});
}

TEST_F(every_view, filter) {
  check([this] { return numbers_ | views::filter(even); }, {0, 2, 4, 6});
  check_endless([] { return views::iota(0) | views::filter(even); }, {0, 2, 4, 6, 8});
}

TEST_F(every_view, transform) {
  check([this] { return numbers_ | views::transform(doubled) | views::take(4); }, {0, 2, 4, 6});
  check_endless([] { return views::iota(0) | views::transform(doubled); }, {0, 2, 4, 6});
}

TEST_F(every_view, take_and_drop) {
  check([this] { return numbers_ | views::take(3); }, {0, 1, 2});
  check([this] { return numbers_ | views::drop(5); }, {5, 6, 7});
  check([] { return views::iota(0) | views::take(3); }, {0, 1, 2});
  check_endless([] { return views::iota(0) | views::drop(5); }, {5, 6, 7});
}

TEST_F(every_view, take_while_and_drop_while) {
  check([this] { return numbers_ | views::take_while(below_six); }, {0, 1, 2, 3, 4, 5});
  check([this] { return numbers_ | views::drop_while(below_six); }, {6, 7});
  check([] { return views::iota(0) | views::take_while(below_six) | views::drop(4); }, {4, 5});
  check_endless([] { return views::iota(0) | views::drop_while(below_six); }, {6, 7, 8});
}

TEST_F(every_view, join) {
  std::vector<std::vector<int>> nested{{0, 1}, {}, {2}};
  check([&] { return nested | views::join; }, {0, 1, 2});
  check([] { return views::iota(1, 4) | views::transform([](int n) { return views::iota(0, n); }) | views::join; },
        {0, 0, 1, 0, 1, 2});
}

TEST_F(every_view, split_and_lazy_split) {
  const std::string line = "3 14 15";
  check([&] { return line | views::split(' ') | views::transform(parsed); }, {3, 14, 15});
  check([&] { return line | views::lazy_split(' ') | views::transform(parsed); }, {3, 14, 15});
}

TEST_F(every_view, istream) {
  auto text = std::make_shared<std::istringstream>();
  check(
      [text] {
        *text = std::istringstream("3 1 4");
        return views::istream<int>(*text);
      },
      {3, 1, 4});
}

TEST_F(every_view, reverse_and_common) {
  check([this] { return numbers_ | views::reverse | views::take(3); }, {7, 6, 5});
  check([this] { return numbers_ | views::take_while(below_six) | views::common; }, {0, 1, 2, 3, 4, 5});
}

TEST_F(every_view, keys_values_and_elements) {
  const std::map<int, long> map{{1, 10}, {2, 20}};
  const std::vector<std::tuple<int, long>> rows{{1, 10}, {2, 20}};
  check([&] { return map | views::keys; }, {1, 2});
  check([&] { return map | views::values; }, {10, 20});
  check([&] { return rows | views::elements<1>; }, {10, 20});
}

TEST_F(every_view, counted_single_empty_and_all) {
  std::list<int> list{4, 5, 6};
  check([this] { return views::counted(numbers_.begin(), 3); }, {0, 1, 2});
  check([&] { return views::counted(list.begin(), 2); }, {4, 5});
  check([] { return views::single(5); }, {5});
  check([] { return views::empty<int>; }, {});
  check([this] { return views::all(numbers_) | views::take(1); }, {0});
  check([] { return std::vector<int>{1, 2} | views::all; }, {1, 2});
}

TEST(EveryContainer, IsARangeOfSlices) {
  forkful::process_pool pool(2U);
  const values expected{1, 2, 3};
  every_verb(pool, [] { return std::list<int>{1, 2, 3}; }, as_long, expected);
  every_verb(pool, [] { return std::deque<int>{1, 2, 3}; }, as_long, expected);
  every_verb(pool, [] { return std::set<int>{1, 2, 3}; }, as_long, expected);
  every_verb(pool, [] { return std::forward_list<int>{1, 2, 3}; }, as_long, expected);
  every_verb(pool, [] { return std::array<int, 3>{1, 2, 3}; }, as_long, expected);
  every_verb(pool, [] { return std::valarray<int>{1, 2, 3}; }, as_long, expected);
  every_verb(pool, [] { return std::unordered_set<int>{7}; }, as_long, {7});
  every_verb(pool, [] { return std::vector<bool>{true, false}; }, as_long, {1, 0});
  constexpr auto key = [](const std::pair<const int, std::string>& entry) { return static_cast<long>(entry.first); };
  every_verb(pool, [] { return std::map<int, std::string>{{1, "a"}, {2, "b"}}; }, key, {1, 2});
}

TEST(EveryContainer, MayBeAListInBracesOrAnArray) {
  forkful::process_pool pool(2U);
  const values expected{1, 2, 3};
  EXPECT_EQ(pool.map({1, 2, 3}, as_long), expected);
  EXPECT_EQ(pool.try_map({1, 2, 3}, as_long).size(), 3U);
  pool.for_each({1, 2, 3}, [](int) {});
  const int numbers[] = {1, 2, 3};
  EXPECT_EQ(pool.map(numbers, as_long), expected);
  values got;
  for (const long x : pool.imap(numbers, as_long)) got.push_back(x);
  EXPECT_EQ(got, expected);
  EXPECT_EQ(pool.map(forkful::slices_of(numbers, 2), [](std::span<const int> s) { return s.size(); }),
            (std::vector<std::size_t>{2, 1}));
}

// As a coroutine's generator: walked once, by an iterator that can only be moved.
class counter {
 public:
  class iterator {
   public:
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;
    explicit iterator(counter* of) noexcept : of_(of) {}
    iterator(iterator&&) noexcept = default;
    iterator& operator=(iterator&&) noexcept = default;
    int operator*() const noexcept { return of_->at(); }
    iterator& operator++() noexcept {
      of_->step();
      return *this;
    }
    void operator++(int) noexcept { ++*this; }
    friend bool operator==(const iterator& it, std::default_sentinel_t /*end*/) noexcept { return it.of_->ended(); }

   private:
    counter* of_;
  };
  explicit counter(int end) noexcept : end_(end) {}
  counter(counter&&) noexcept = default;
  counter& operator=(counter&&) noexcept = default;
  [[nodiscard]] int at() const noexcept { return at_; }
  [[nodiscard]] bool ended() const noexcept { return at_ == end_; }
  void step() noexcept { ++at_; }
  iterator begin() noexcept { return iterator(this); }
  static std::default_sentinel_t end() noexcept { return {}; }

 private:
  int at_ = 0;
  int end_;
};

TEST(EveryContainer, MayBeAGenerator) {
  forkful::process_pool pool(2U);
  every_verb(pool, [] { return counter(4); }, as_long, {0, 1, 2, 3});
  values got;
  for (const long x : pool.imap(pool.imap(counter(4), as_long), as_long)) got.push_back(x);
  EXPECT_EQ(got, (values{0, 1, 2, 3}));
}

}  // namespace
