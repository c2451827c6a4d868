// Members of aggregates are counted right, whatever they are, or not at all.
#include <gtest/gtest.h>

#include <any>
#include <array>
#include <atomic>
#include <forkful/detail/fields.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

using forkful::detail::field_count;
using forkful::detail::field_types;
using forkful::detail::has_base;
using forkful::detail::type_list;

struct no_default {
  explicit no_default(int v) : value(v) {}
  no_default(const no_default& other) : value(other.value) {}
  no_default(no_default&& other) noexcept : value(other.value) {}
  int value;
};
struct from_int {
  from_int(int v) : value(v) {}
  int value;
};
struct from_two {
  from_two(int a, int b) : value(a + b) {}
  int value;
};
struct moves_only {
  explicit moves_only(int) {}
  moves_only(moves_only&&) = default;
};
struct explicit_default {
  explicit explicit_default() {}
  std::string text;
};
enum class colour { red };

struct nothing {};
struct one {
  int a;
};
struct two {
  int a;
  double b;
};
struct scalars {
  colour a;
  std::byte b;
  bool c;
  int* d;
  int two::* e;
};
struct with_array {
  int a[3];
};
struct with_arrays {
  int a[2][3];
  std::string b[2];
  char c[4096];
  int d;
};
struct nested {
  two a;
  two b[2];
  std::array<int, 3> c;
  nothing d;
};
struct library_types {
  std::string a;
  std::optional<int> b;
  std::variant<int, std::string> c;
  std::vector<int> d;
  std::map<int, std::string> e;
  std::pair<int, std::string> f;
  std::tuple<std::string> g;
  std::unique_ptr<int> h;
};
struct greedy {
  std::any a;
  std::function<void()> b;
  std::atomic<int> c;
};
struct reference {
  int& a;
};
struct references {
  int a;
  std::string& b;
  const int& c;
  int&& d;
};
struct constants {
  const int a;
  const std::string b;
};
struct bit_fields {
  int a : 3;
  int b : 5;
  unsigned c : 1;
};
struct defaults {
  int a = 3;
  std::string b = "text";
  no_default c = no_default(3);
  from_int d = 4;
};
struct default_first {
  no_default a = no_default(3);
  std::string b;
};
struct hard_alone {
  no_default a;
};
struct hard_wrappers {
  no_default a;
  std::optional<int> b;
  std::optional<no_default> c;
  std::variant<no_default, int> d;
  std::variant<no_default> e;
  std::tuple<int> f;
  std::tuple<no_default> g;
  std::pair<no_default, int> h;
};
struct hard_arrays {
  int a;
  no_default b[3];
  from_int c[2][2];
  moves_only d;
  int e[4];
  from_two f;
  std::string g;
  std::array<no_default, 2> h;
  explicit_default i;
};
struct hard_nested {
  hard_alone a;
  hard_arrays b;
  nested c;
  reference d;
};
struct big_array_after_hard {
  no_default a;
  char b[100];
};
struct most {
  int a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2, c3, c4, c5, c6, c7,
      c8, c9, d0, d1;
};
struct one_too_many {
  int a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2, c3, c4, c5, c6, c7,
      c8, c9, d0, d1, d2;
};
struct holds_too_many {
  one_too_many a;
  no_default b;
  most c;
};

TEST(fields, are_counted_where_every_member_can_be_value_initialised) {
  static_assert(field_count<nothing> == 0);
  static_assert(field_count<one> == 1);
  static_assert(field_count<two> == 2);
  static_assert(field_count<scalars> == 5);
  static_assert(field_count<with_array> == 1);
  static_assert(field_count<with_arrays> == 4);
  static_assert(field_count<nested> == 4);
  static_assert(field_count<library_types> == 8);
  static_assert(field_count<greedy> == 3);
  static_assert(field_count<constants> == 2);
  static_assert(field_count<bit_fields> == 3);
  static_assert(field_count<most> == 32);
}

TEST(fields, are_counted_where_some_member_cannot_be_value_initialised) {
  static_assert(field_count<reference> == 1);
  static_assert(field_count<references> == 4);
  static_assert(field_count<defaults> == 4);
  static_assert(field_count<default_first> == 2);
  static_assert(field_count<hard_alone> == 1);
  static_assert(field_count<hard_wrappers> == 8);
  static_assert(field_count<hard_arrays> == 9);
  static_assert(field_count<hard_nested> == 4);
  static_assert(field_count<holds_too_many> == 3);
}

TEST(fields, beyond_reach_are_reported_and_never_miscounted) {
  static_assert(field_count<one_too_many> == forkful::detail::too_many_fields);
  static_assert(field_count<big_array_after_hard> == forkful::detail::uncountable);
}

struct base {};
struct full_base {
  int a;
};
struct derived_empty : base {};
struct derived : base {
  int b;
};
struct derived_full : full_base {};
struct derived_hard : full_base {
  no_default b;
  int c;
};
struct holds_derived {
  derived a;
  base b;
};

TEST(fields, of_classes_with_bases_are_left_alone) {
  static_assert(has_base<derived_empty>());
  static_assert(has_base<derived>());
  static_assert(has_base<derived_full>());
  static_assert(has_base<derived_hard>());
  static_assert(!has_base<holds_derived>());
  static_assert(!has_base<nothing>());
  static_assert(!has_base<library_types>());
  static_assert(!has_base<references>());
  static_assert(!has_base<hard_arrays>());
}

TEST(fields, have_their_declared_types) {
  static_assert(std::is_same_v<field_types<nothing>, type_list<>>);
  static_assert(std::is_same_v<field_types<references>, type_list<int, std::string&, const int&, int&&>>);
  static_assert(std::is_same_v<field_types<with_arrays>, type_list<int[2][3], std::string[2], char[4096], int>>);
  static_assert(std::is_same_v<field_types<constants>, type_list<int, std::string>>);
}

TEST(fields, are_visited_in_order_and_may_be_changed) {
  struct numbers {
    int a;
    int b[2];
    int c;
  };
  numbers value{1, {2, 3}, 4};
  forkful::detail::for_each_field(value, []<class F>(F& field) {
    if constexpr (std::is_array_v<F>)
      field[1] = 30;
    else
      field *= 10;
  });
  std::vector<int> seen;
  const numbers& constant = value;
  forkful::detail::for_each_field(constant, [&seen]<class F>(const F& field) {
    if constexpr (std::is_array_v<F>)
      seen.insert(seen.end(), {field[0], field[1]});
    else
      seen.push_back(field);
  });
  EXPECT_EQ(seen, (std::vector<int>{10, 2, 30, 40}));
}

TEST(fields, of_the_largest_aggregate_are_all_visited) {
  most value{};
  int n = 0;
  forkful::detail::for_each_field(value, [&n](int& field) { field = n++; });
  EXPECT_EQ(n, 32);
  EXPECT_EQ(value.a0, 0);
  EXPECT_EQ(value.d1, 31);
}

}  // namespace
