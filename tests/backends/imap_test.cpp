// imap: the results of map, one after another, with little input read ahead.
#include <atomic>
#include <chrono>
#include <iterator>
#include <list>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;
using forkful_tests::way_of;

template <class Pool>
using imap_on = on_every_pool<Pool>;
TYPED_TEST_SUITE(imap_on, every_pool, pool_names);

// Numbers from 0 on, made one by one. Walked once; counts how many were read.
class generator {
 public:
  explicit generator(std::size_t end, std::size_t throws_at = SIZE_MAX) : end_(end), throws_at_(throws_at) {}

  class iterator {
   public:
    using value_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;
    iterator() = default;
    explicit iterator(generator* from) : from_(from) { from_->read(); }
    std::size_t operator*() const { return from_->now_; }
    iterator& operator++() {
      ++from_->now_;
      from_->read();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t /*end*/) const { return from_->now_ == from_->end_; }

   private:
    generator* from_ = nullptr;
  };
  iterator begin() { return iterator(this); }
  std::default_sentinel_t end() { return {}; }
  [[nodiscard]] std::size_t reads() const { return reads_; }

 private:
  void read() {
    if (now_ == throws_at_) throw std::runtime_error("the input is torn");
    ++reads_;
  }
  std::size_t end_;
  std::size_t throws_at_;
  std::size_t now_ = 0;
  std::size_t reads_ = 0;
};

template <class Results>
std::size_t count_in_order(Results&& results) {
  std::size_t count = 0;
  for (const auto& result : results) {
    if (result != std::to_string(count)) return SIZE_MAX;
    ++count;
  }
  return count;
}

constexpr auto as_text = [](std::size_t i) { return std::to_string(i); };

TYPED_TEST(imap_on, gives_every_result_in_order_for_sized_and_unsized_input) {
  for (const std::size_t n : {0U, 1U, 3U, 1000U}) {
    EXPECT_EQ(count_in_order(this->pool.imap(indices(n), as_text)), n);
    generator input(n);
    EXPECT_EQ(count_in_order(this->pool.imap(input, as_text)), n);
    EXPECT_EQ(this->pool.report().slices, n);
    EXPECT_EQ(count_in_order(this->pool.with({.chunk = 7}).imap(generator(n), as_text)), n);
  }
}

TYPED_TEST(imap_on, reads_no_further_ahead_than_the_window) {
  for (const std::size_t window : {1U, 5U, 64U}) {
    generator input(10'000);
    std::size_t taken = 0;
    for (const std::string& result : this->pool.with({.window = window}).imap(input, as_text)) {
      ASSERT_EQ(result, std::to_string(taken));
      ++taken;
      ASSERT_LE(input.reads(), taken + 2 * window);
    }
    EXPECT_EQ(taken, 10'000U);
  }
}

// A pipe whose lines come one by one: what is done is given before the next one is waited for. Not every time, on a busy machine.
TYPED_TEST(imap_on, gives_what_is_done_before_it_waits_for_more_input) {
  constexpr std::size_t lines = 12;
  std::size_t given = 0;
  std::size_t up_to_date = 0;
  auto input = std::views::iota(std::size_t{0}) | std::views::take_while([](std::size_t i) { return i != lines; }) |
               std::views::transform([&](std::size_t i) {
                 std::this_thread::sleep_for(std::chrono::milliseconds(30));
                 up_to_date += given == i ? 1 : 0;
                 return i;
               });
  for (const std::string& result : this->pool.imap(std::move(input), as_text)) {
    ASSERT_EQ(result, std::to_string(given));
    ++given;
  }
  EXPECT_EQ(given, lines);
  EXPECT_GE(up_to_date, way_of<TypeParam>() == "toy" ? 0U : lines / 3);  // a toy reads ahead
}

TYPED_TEST(imap_on, takes_constant_memory_for_endless_input_and_can_be_left_half_way) {
  for (int round = 0; round != 3; ++round) {
    generator input(SIZE_MAX);
    std::size_t taken = 0;
    for (const std::string& result : this->pool.with({.chunk = 10}).imap(input, as_text)) {
      ASSERT_EQ(result, std::to_string(taken));
      if (++taken == 1000) break;
    }
    EXPECT_LE(input.reads(), 1000U + 200U);
    // The pool can be used as before.
    EXPECT_EQ(count_in_order(this->pool.imap(indices(50), as_text)), 50U);
  }
}

// Knows how many there are in this process.
struct counted_slice {
  explicit counted_slice(std::size_t n) : number(n) { ++alive; }
  counted_slice(const counted_slice& other) : number(other.number) { ++alive; }
  counted_slice& operator=(const counted_slice&) = default;
  ~counted_slice() { --alive; }
  std::size_t number;
  static inline std::atomic<std::size_t> alive{0};
};

}  // namespace

template <>
struct forkful::codec<counted_slice> {
  static void write(sink& out, const counted_slice& slice) { out.write(slice.number); }
  static counted_slice read(source& in) { return counted_slice(in.read<std::size_t>()); }
};

namespace {

TYPED_TEST(imap_on, forgets_input_that_was_run) {
  auto input = std::views::iota(std::size_t{0}) | std::views::transform([](std::size_t n) { return counted_slice(n); });
  std::size_t taken = 0;
  for (const std::size_t result :
       this->pool.with({.chunk = 10}).imap(input, [](const counted_slice& slice) { return slice.number; })) {
    ASSERT_EQ(result, taken);
    ASSERT_LE(counted_slice::alive, 200U);
    if (++taken == 1000) break;
  }
}

TYPED_TEST(imap_on, gives_what_comes_before_a_failure_and_then_the_failure) {
  const auto all_but_37 = [](std::size_t i) {
    if (i == 37) throw std::out_of_range("thirty-seven");
    return std::to_string(i);
  };
  for (const std::size_t chunk : {0U, 1U, 10U, 1000U}) {
    std::size_t taken = 0;
    try {
      for (const std::string& result : this->pool.with({.chunk = chunk}).imap(generator(500), all_but_37)) {
        ASSERT_EQ(result, std::to_string(taken));
        ++taken;
      }
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::out_of_range& error) {
      EXPECT_STREQ(error.what(), "thirty-seven");
      EXPECT_EQ(dynamic_cast<const slice_info&>(error).slice(), 37U);
    }
    EXPECT_EQ(taken, 37U);
  }
}

TYPED_TEST(imap_on, runs_what_was_read_before_the_input_fails) {
  std::size_t taken = 0;
  try {
    for (const std::string& result : this->pool.imap(generator(500, 123), as_text)) {
      ASSERT_EQ(result, std::to_string(taken));
      ++taken;
    }
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the input is torn");
  }
  EXPECT_EQ(taken, 123U);
}

TYPED_TEST(imap_on, a_slice_that_fails_comes_before_an_input_that_fails_behind_it) {
  const auto all_but_37 = [](std::size_t i) {
    if (i == 37) throw std::out_of_range("thirty-seven");
    return i;
  };
  for (const std::size_t chunk : {0U, 1U, 10U}) {
    std::size_t taken = 0;
    try {
      for (const std::size_t result : this->pool.with({.chunk = chunk}).imap(generator(500, 40), all_but_37)) {
        taken += result == taken ? 1 : 0;
      }
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::exception& error) {
      EXPECT_STREQ(error.what(), "thirty-seven");
    }
    EXPECT_EQ(taken, 37U);
  }
}

TYPED_TEST(imap_on, passes_arguments_and_borrows_what_is_walked_by_iterators) {
  std::list<std::string> cake{"sponge", "cream", "cherry"};
  std::vector<std::string> finished;
  for (std::string& slice : this->pool.imap(
           cake, [](const std::string& s, const std::string& by, int times) { return s + by + std::to_string(times); },
           " eaten ", 2)) {
    finished.push_back(std::move(slice));
  }
  EXPECT_EQ(finished, (std::vector<std::string>{"sponge eaten 2", "cream eaten 2", "cherry eaten 2"}));
}

TYPED_TEST(imap_on, unordered_gives_each_result_once_with_its_index) {
  std::vector<int> seen(2000);
  for (const auto& [index, value] : this->pool.with({.chunk = 3}).imap_unordered(generator(2000), as_text)) {
    ASSERT_EQ(value, std::to_string(index));
    ++seen[index];
  }
  EXPECT_EQ(seen, std::vector<int>(2000, 1));
}

// Two walks of one pool at the same time, and other calls between.
TYPED_TEST(imap_on, goes_on_beside_other_calls) {
  auto slow = this->pool.imap(indices(300), as_text);
  auto fast = this->pool.imap(generator(300), as_text);
  auto one = slow.begin();
  auto other = fast.begin();
  for (std::size_t i = 0; i != 300; ++i, ++one, ++other) {
    ASSERT_EQ(*one, std::to_string(i));
    ASSERT_EQ(*other, std::to_string(i));
    if (i % 100 == 50) {
      EXPECT_EQ(this->pool.map(indices(20), as_text).size(), 20U);
    }
  }
  EXPECT_TRUE(one == slow.end());
}

TYPED_TEST(imap_on, may_outlive_its_pool_as_far_as_it_has_come) {
  auto results = [] {
    TypeParam gone(2U);
    return gone.imap(indices(5), as_text);
  }();
  try {
    EXPECT_LE(count_in_order(results), 5U);
  } catch (const cancelled& error) {
    EXPECT_EQ(error.code(), "cancelled");
  }
}

}  // namespace
