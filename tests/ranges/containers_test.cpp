// Every verb over every container of the standard library, over lists in braces, arrays and generators.
#include <array>
#include <deque>
#include <forward_list>
#include <iterator>
#include <list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <valarray>

#include "ranges/every_view.hpp"

namespace {

using namespace forkful_tests;

TEST(every_container, is_a_range_of_slices) {
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

TEST(every_container, may_be_a_list_in_braces_or_an_array) {
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

TEST(every_container, may_be_a_generator) {
  forkful::process_pool pool(2U);
  every_verb(pool, [] { return counter(4); }, as_long, {0, 1, 2, 3});
  values got;
  for (const long x : pool.imap(pool.imap(counter(4), as_long), as_long)) got.push_back(x);
  EXPECT_EQ(got, (values{0, 1, 2, 3}));
}

}  // namespace
