// Every verb over one range, whatever it is a range of: what each gives is compared with what a loop would.
//
// The range is made anew for each verb, because some can be walked only once.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <forkful/forkful.hpp>
#include <functional>
#include <vector>

namespace forkful_tests {

using values = std::vector<long>;

// `number` makes a number of an element; it has no captures.
template <class Pool, class Make, class Number>
void verbs_with_results(Pool& pool, Make make, Number number, const values& expected) {
  EXPECT_EQ(pool.map(make(), number), expected);
  EXPECT_EQ(pool.with({.chunk = 1}).map(make(), number), expected);
  values got;
  for (const auto& one : pool.try_map(make(), number)) got.push_back(one.value());
  EXPECT_EQ(got, expected);
  const forkful::shared_vector<long> out(expected.size());
  pool.map_into(out, make(), number);
  EXPECT_EQ(values(out.begin(), out.end()), expected);
  long sum = 0;
  for (const long x : expected) sum += x;
  EXPECT_EQ(pool.transform_reduce(make(), 0L, std::plus<>(), number), sum);
}

template <class Pool, class Make, class Number>
void lazy_verbs(Pool& pool, Make make, Number number, const values& expected) {
  values got;
  for (const long x : pool.imap(make(), number)) got.push_back(x);
  EXPECT_EQ(got, expected);
  got.assign(expected.size(), -1);
  for (const auto& [index, x] : pool.imap_unordered(make(), number)) got.at(index) = x;
  EXPECT_EQ(got, expected);
}

template <class Pool, class Make, class Number>
void verbs_for_effect(Pool& pool, Make make, Number number, const values& expected) {
  using element = std::ranges::range_value_t<decltype(make())>;
  const forkful::shared<std::atomic<long>> sum(0L);
  const auto add = [](const element& x, const forkful::shared<std::atomic<long>>& s) { *s += Number{}(x); };
  pool.for_each(make(), add, sum);
  EXPECT_EQ(pool.try_for_each(make(), add, sum).size(), expected.size());
  long twice = 0;
  for (const long x : expected) twice += 2 * x;
  EXPECT_EQ(sum->load(), twice);
  static_cast<void>(number);
}

template <class Pool, class Make, class Number>
void zipped(Pool& pool, Make make, Number number, const values& expected) {
  using element = std::ranges::range_value_t<decltype(make())>;
  values got = pool.map(forkful::zip(make(), forkful::indices(expected.size())),
                        [](const element& x, std::size_t i) { return Number{}(x) + static_cast<long>(i); });
  for (std::size_t i = 0; i != got.size(); ++i) got[i] -= static_cast<long>(i);
  EXPECT_EQ(got, expected);
  got.clear();
  for (const long x : pool.imap(forkful::zip(make(), forkful::indices(expected.size())),
                                [](const element& each, std::size_t /*i*/) { return Number{}(each); }))
    got.push_back(x);
  EXPECT_EQ(got, expected);
  static_cast<void>(number);
}

template <class Pool, class Make, class Number>
void every_verb(Pool& pool, Make make, Number number, const values& expected) {
  verbs_with_results(pool, make, number, expected);
  lazy_verbs(pool, make, number, expected);
  verbs_for_effect(pool, make, number, expected);
  zipped(pool, make, number, expected);
}

}  // namespace forkful_tests
