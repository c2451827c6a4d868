// The pools that every view and adaptor is tried on.
#pragma once

#include <ranges>
#include <string>
#include <vector>

#include "ranges/every_verb.hpp"

namespace forkful_tests {

namespace views = std::views;

inline constexpr auto as_long = [](const auto& x) { return static_cast<long>(x); };
inline constexpr auto even = [](const auto& x) { return x % 2 == 0; };
inline constexpr auto below_six = [](const auto& x) { return x < 6; };
inline constexpr auto doubled = [](const auto& x) { return 2 * x; };
inline constexpr auto parsed = [](auto&& word) {
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
    EXPECT_EQ(threads_.map(make(), as_long), expected);
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
    check_endless(snapshots_, make, expected);
  }

  forkful::process_pool processes_{2U};
  forkful::thread_pool threads_{2U};
  forkful::snapshot_pool snapshots_{2U};
  std::vector<int> numbers_{0, 1, 2, 3, 4, 5, 6, 7};
};

}  // namespace forkful_tests
