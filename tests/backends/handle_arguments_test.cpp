// Handles, spans and strings in shared memory as arguments of every verb, on every pool: they go along by address.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <forkful/forkful.hpp>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "every_pool.hpp"

namespace {

using forkful::shared;
using forkful::shared_string;
using forkful::shared_vector;
using forkful_tests::every_pool;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;

template <class Pool>
using handle_arguments = on_every_pool<Pool>;
TYPED_TEST_SUITE(handle_arguments, every_pool, pool_names);

constexpr std::size_t slices = 20;
using sum = std::atomic<long>;

// Calls every verb with an argument `a`; `add(i, a)` notes that slice i ran, and `added()` returns how often, and
// begins again at 0.
template <class Pool, class Add, class Added, class A>
void every_verb(Pool& pool, Add add, Added added, A& a) {
  const auto all = forkful::indices(slices);
  EXPECT_EQ(pool.map(all, add, a).size(), slices);
  EXPECT_EQ(added(), slices) << "map";
  EXPECT_EQ(pool.starmap(std::vector<std::tuple<std::size_t>>(slices), add, a).size(), slices);
  EXPECT_EQ(added(), slices) << "starmap";
  EXPECT_EQ(pool.try_map(all, add, a).size(), slices);
  EXPECT_EQ(added(), slices) << "try_map";
  shared_vector<std::size_t> out(slices);
  pool.map_into(out, all, add, a);
  EXPECT_EQ(added(), slices) << "map_into";
  pool.for_each(all, add, a);
  EXPECT_EQ(added(), slices) << "for_each";
  EXPECT_EQ(pool.try_for_each(all, add, a).size(), slices);
  EXPECT_EQ(added(), slices) << "try_for_each";
  EXPECT_EQ(pool.transform_reduce(all, std::size_t{0}, std::plus<>(), add, a), slices * (slices - 1) / 2);
  EXPECT_EQ(added(), slices) << "transform_reduce";
  std::size_t results = 0;
  for (const std::size_t i : pool.imap(all, add, a)) EXPECT_EQ(i, results++);
  EXPECT_EQ(results, slices);
  EXPECT_EQ(added(), slices) << "imap";
  results = 0;
  for (const auto& [index, i] : pool.imap_unordered(all, add, a)) {
    EXPECT_EQ(index, i);
    ++results;
  }
  EXPECT_EQ(results, slices);
  EXPECT_EQ(added(), slices) << "imap_unordered";
  EXPECT_EQ(pool.submit(add, std::size_t{1}, a).get(), 1U);
  EXPECT_EQ(added(), 1U) << "submit";
}

// An update's callable takes its slice by reference.
template <class Pool, class Change, class Added, class A>
void updates(Pool& pool, Change change, Added added, A& a) {
  std::vector<std::size_t> all(slices);
  pool.update(all, change, a);
  EXPECT_EQ(added(), slices) << "update";
  EXPECT_EQ(pool.try_update(all, change, a).size(), slices);
  EXPECT_EQ(added(), slices) << "try_update";
}

TYPED_TEST(handle_arguments, a_shared_object_is_changed_by_every_verb) {
  shared<sum> count(0L);
  const auto added = [&] { return static_cast<std::size_t>(count->exchange(0)); };
  const auto add = [](std::size_t i, const shared<sum>& s) {
    ++*s;
    return i;
  };
  every_verb(this->pool, add, added, count);
  updates(this->pool, [](std::size_t& /*i*/, const shared<sum>& s) { ++*s; }, added, count);
  every_verb(this->pool, add, added, std::as_const(count));
}

TYPED_TEST(handle_arguments, a_shared_vector_is_changed_by_every_verb) {
  shared_vector<int> said(slices);
  const auto added = [&] {
    std::size_t count = 0;
    for (int& one : said) count += static_cast<std::size_t>(std::exchange(one, 0));
    return count;
  };
  const auto add = [](std::size_t i, const shared_vector<int>& at) {
    std::atomic_ref(at[i]).fetch_add(1);
    return i;
  };
  every_verb(this->pool, add, added, said);
  updates(
      this->pool, [](std::size_t& i, const shared_vector<int>& at) { std::atomic_ref(at[i]).fetch_add(1); }, added,
      said);
}

TYPED_TEST(handle_arguments, a_span_of_a_shared_vector_is_changed_by_every_verb) {
  shared_vector<int> said(slices);
  std::span<int> places(said);
  const auto added = [&] {
    std::size_t count = 0;
    for (int& one : said) count += static_cast<std::size_t>(std::exchange(one, 0));
    return count;
  };
  const auto add = [](std::size_t i, std::span<int> at) {
    std::atomic_ref(at[i]).fetch_add(1);
    return i;
  };
  every_verb(this->pool, add, added, places);
  updates(this->pool, [](std::size_t& i, std::span<int> at) { std::atomic_ref(at[i]).fetch_add(1); }, added, places);
}

TYPED_TEST(handle_arguments, imap_keeps_a_handle_that_was_moved_in) {
  long total = 0;
  {
    auto results = this->pool.imap(
        forkful::indices(slices), [](std::size_t i, const shared_vector<long>& v) { return v[i]; },
        shared_vector<long>(slices, 3L));
    for (const long x : results) total += x;
  }
  EXPECT_EQ(total, 3 * static_cast<long>(slices));
}

struct tables {
  shared_vector<long> values;
  long factor = 1;
};

TYPED_TEST(handle_arguments, imap_keeps_a_struct_of_handles_that_was_moved_in) {
  long total = 0;
  auto results = this->pool.imap(
      forkful::indices(slices), [](std::size_t i, const tables& t) { return t.values[i] * t.factor; },
      tables{shared_vector<long>(slices, 3L), 2});
  for (const long x : results) total += x;
  EXPECT_EQ(total, 6 * static_cast<long>(slices));
}

TYPED_TEST(handle_arguments, imap_keeps_what_goes_by_copy) {
  const int weights[] = {1, 2, 3};
  auto made = [&] {
    const std::string word = "a word too long to lie within the object";
    return this->pool.imap(
        forkful::indices(3),
        [](std::size_t i, const std::array<int, 3>& w, const std::string& text, const std::string& literal) {
          return std::to_string(w[i]) + text + literal;
        },
        weights, word, "literal");
  };
  std::vector<std::string> got;
  for (std::string& one : made()) got.push_back(std::move(one));
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[2], "3a word too long to lie within the objectliteral");
}

TYPED_TEST(handle_arguments, a_shared_string_is_read_by_every_verb) {
  shared_string word("word");
  const auto add = [](std::size_t i, const shared_string& w) { return w == "word" ? i : slices; };
  std::vector<std::size_t> numbers(slices);
  for (std::size_t i = 0; i != slices; ++i) numbers[i] = i;
  EXPECT_EQ(this->pool.map(numbers, add, word), numbers);
  std::vector<std::size_t> got;
  for (const std::size_t i : this->pool.imap(numbers, add, word)) got.push_back(i);
  EXPECT_EQ(got, numbers);
  EXPECT_EQ(this->pool.submit(add, std::size_t{1}, word).get(), 1U);
}

}  // namespace
