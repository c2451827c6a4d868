// zip of ranges that do not know their size or have no end, and imap over a zip.
#include <gtest/gtest.h>

#include <forkful/forkful.hpp>
#include <list>
#include <ranges>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "every_pool.hpp"

namespace {

using forkful_tests::every_pool;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;

template <class Pool>
using zips = on_every_pool<Pool>;
TYPED_TEST_SUITE(zips, every_pool, pool_names);

constexpr auto add = [](int x, int i) { return x + i; };

TYPED_TEST(zips, a_part_without_an_end_is_as_long_as_the_others) {
  const std::vector<int> expected = {11, 13, 15};
  const std::vector<int> v = {1, 2, 3};
  EXPECT_EQ(this->pool.map(forkful::zip(v, std::views::iota(10)), add), expected);
  EXPECT_EQ(this->pool.map(forkful::zip(std::views::iota(10), std::list<int>(v.begin(), v.end())), add), expected);
  const auto endless = std::views::iota(0) | std::views::transform([](int i) { return 10 + i; });
  EXPECT_EQ(this->pool.map(forkful::zip(v, endless), add), expected);
  auto even = std::views::iota(10) | std::views::filter([](int i) { return i % 2 == 0; });
  EXPECT_EQ(this->pool.map(forkful::zip(v, even), add), (std::vector<int>{11, 14, 17}));
  // Moved, it is walked again.
  auto both = forkful::zip(v, even);
  EXPECT_EQ(this->pool.map(std::move(both), add), (std::vector<int>{11, 14, 17}));
}

TYPED_TEST(zips, no_part_needs_to_know_its_size) {
  std::istringstream numbers("1 2 3");
  EXPECT_EQ(this->pool.map(forkful::zip(std::views::istream<int>(numbers), std::views::iota(10)), add),
            (std::vector<int>{11, 13, 15}));
  std::istringstream few("1 2");
  std::istringstream many("10 11 12 13");
  EXPECT_EQ(this->pool.map(forkful::zip(std::views::istream<int>(many), std::views::istream<int>(few)), add),
            (std::vector<int>{11, 13}));
}

TYPED_TEST(zips, input_is_read_no_further_than_the_others_go) {
  std::istringstream numbers("10 11 12 13");
  const std::vector<int> v = {1, 2};
  EXPECT_EQ(this->pool.map(forkful::zip(v, std::views::istream<int>(numbers)), add), (std::vector<int>{11, 13}));
  int next = 0;
  numbers >> next;
  EXPECT_EQ(next, 12);
}

TYPED_TEST(zips, imap_makes_parameters_of_the_parts) {
  const std::vector<std::string> words = {"a", "bb", "ccc"};
  const auto all = forkful::zip(words, forkful::indices(3));
  const auto say = [](const std::string& word, std::size_t i, const std::string& end) {
    return word + std::to_string(i) + end;
  };
  std::vector<std::string> got;
  for (std::string& one : this->pool.imap(all, say, "!")) got.push_back(std::move(one));
  EXPECT_EQ(got, (std::vector<std::string>{"a0!", "bb1!", "ccc2!"}));
  got.assign(3, "");
  for (auto& [index, one] : this->pool.imap_unordered(forkful::zip(words, std::views::iota(std::size_t{0})), say, "!"))
    got.at(index) = std::move(one);
  EXPECT_EQ(got, (std::vector<std::string>{"a0!", "bb1!", "ccc2!"}));
}

TYPED_TEST(zips, imap_gives_parts_that_the_callable_may_keep_or_change) {
  std::vector<std::string> words = {"a", "bb"};
  forkful::shared_vector<int> out(2);
  const auto parts = forkful::slices_of(out, 1);
  std::vector<std::size_t> got;
  for (const std::size_t size :
       this->pool.imap(forkful::zip(words, parts), [](std::string& word, std::span<int> place) {
         word += "!";
         place[0] = static_cast<int>(word.size());
         return word.size();
       }))
    got.push_back(size);
  EXPECT_EQ(got, (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(out[0], 2);
  EXPECT_EQ(out[1], 3);
  EXPECT_EQ(words, (std::vector<std::string>{"a", "bb"}));  // a verb that gives results never changes its input
}

TYPED_TEST(zips, slices_of_letters_are_read_as_text) {
  const std::string text = "one two";
  const auto say = [](std::string_view part) { return std::string(part) + "!"; };
  const std::vector<std::string> expected = {"one !", "two!"};
  EXPECT_EQ(this->pool.map(forkful::slices(text, 2), say), expected);
  EXPECT_EQ(this->pool.map(forkful::zip(forkful::slices_of(text, 4), forkful::indices(2)),
                           [](std::string_view part, std::size_t /*i*/) { return std::string(part) + "!"; }),
            expected);
  std::vector<std::string> got;
  for (std::string& one : this->pool.imap(forkful::slices(text, 2), say)) got.push_back(std::move(one));
  EXPECT_EQ(got, expected);
  forkful::shared_vector<char> letters(text.begin(), text.end());
  EXPECT_EQ(this->pool.map(forkful::slices(letters, 2), say), expected);
  EXPECT_EQ(
      this->pool.map(std::vector<std::span<const char>>{std::span(text).first(4), std::span(text).subspan(4)}, say),
      expected);
}

}  // namespace
