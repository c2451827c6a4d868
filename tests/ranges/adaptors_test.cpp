// Every verb over the adaptors of the standard library that choose or change elements.
#include <cstddef>
#include <ranges>

#include "ranges/every_view.hpp"

namespace {

using namespace forkful_tests;

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

}  // namespace
