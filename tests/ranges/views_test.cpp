// Every verb over the other views of the standard library: of nested ranges, of text, of streams, of the members of tuples.
#include <list>
#include <map>
#include <memory>
#include <ranges>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "ranges/every_view.hpp"

namespace {

using namespace forkful_tests;

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

}  // namespace
