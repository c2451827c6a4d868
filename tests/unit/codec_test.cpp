// Values become bytes and the same values again; what is not a value is detected; nothing is copied without need.
#include <gtest/gtest.h>
#include <forkful/codec.hpp>

#include <bitset>
#include <chrono>
#include <complex>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <forkful/errors.hpp>
#include <forkful/shared.hpp>
#include <forward_list>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace codec_test {

struct point {
  int x;
  double y;
  bool operator==(const point&) const = default;
};
struct person {
  std::string name;
  std::optional<point> home;
  std::map<std::string, std::vector<int>> marks;
  const int born;
  bool operator==(const person&) const = default;
};
struct tree {
  int value;
  std::vector<tree> branches;
  bool operator==(const tree&) const = default;
};
struct label {
  char text[300];
  std::string owner;
  std::string lines[2][2];
  bool operator==(const label&) const = default;
};
struct only_moves {
  explicit only_moves(std::string t) : text(std::move(t)) {}
  only_moves(only_moves&&) = default;
  only_moves& operator=(only_moves&&) = default;
  std::string text;
};
struct holds_moving {
  only_moves inside;
  int number;
};
class no_default {  // private, no default constructor, pointer inside
 public:
  explicit no_default(int n) : n_(std::make_unique<int>(n)) {}
  int n() const { return *n_; }
  bool operator==(const no_default& other) const { return n() == other.n(); }

 private:
  std::unique_ptr<int> n_;
};
struct writes_nothing {
  bool operator==(const writes_nothing&) const = default;
};
struct plain_with_codec {  // bitwise, if it had no codec
  int value;
};
struct plain_holder {
  plain_with_codec inside[2];
  int after;
};
class opaque_plain {
 public:
  opaque_plain() = default;
  explicit opaque_plain(int n) : n_(n) {}
  bool operator==(const opaque_plain&) const = default;

 private:
  int n_ = 0;
};
struct alignas(64) wide {
  double values[8];
  bool operator==(const wide&) const = default;
};
struct alignas(256) wider {
  int value;
  bool operator==(const wider&) const = default;
};
enum class colour : std::uint8_t { red, green };

}  // namespace codec_test

namespace forkful {
template <>
struct codec<codec_test::only_moves> {
  static void write(sink& out, const codec_test::only_moves& v) { out.write(v.text); }
  static codec_test::only_moves read(source& in) { return codec_test::only_moves(in.read<std::string>()); }
};
template <>
struct codec<codec_test::no_default> {
  static void write(sink& out, const codec_test::no_default& v) { out.write(v.n()); }
  static codec_test::no_default read(source& in) { return codec_test::no_default(in.read<int>()); }
};
template <>
struct codec<codec_test::writes_nothing> {
  static void write(sink&, const codec_test::writes_nothing&) {}
  static codec_test::writes_nothing read(source&) { return {}; }
};
template <>
struct codec<codec_test::plain_with_codec> {
  static void write(sink& out, const codec_test::plain_with_codec& v) { out.write(v.value + 1000); }
  static codec_test::plain_with_codec read(source& in) { return {in.read<int>()}; }
};
template <>
inline constexpr bool enable_bitwise<codec_test::opaque_plain> = true;
}  // namespace forkful

namespace codec_test {
namespace {

using forkful::sink;
using forkful::source;
using forkful::detail::bitwise;
using forkful::detail::kind;
using forkful::detail::kind_of;
using forkful::detail::private_segments;
using forkful::detail::segment;
using forkful::detail::travels;

template <class As, class T>
As send(const T& value) {
  sink out(private_segments());
  out.write(std::byte{});  // so that nothing is aligned by luck
  out.write(value);
  out.write(std::uint32_t{0xCAFE});
  source in(out.first());
  in.read<std::byte>();
  As result = in.read<As>();
  EXPECT_EQ(in.read<std::uint32_t>(), 0xCAFEU);
  EXPECT_EQ(in.remaining(), 0U);
  source again(out.first());
  again.skip<std::byte>();
  again.skip<As>();
  EXPECT_EQ(again.read<std::uint32_t>(), 0xCAFEU);
  return result;
}

template <class T>
void comes_back(const T& value) {
  EXPECT_EQ(send<T>(value), value) << forkful::detail::type_name<T>();
}

TEST(codec, brings_back_scalars) {
  comes_back(true);
  comes_back('x');
  comes_back(std::numeric_limits<std::int64_t>::min());
  comes_back(std::numeric_limits<long double>::max());
  comes_back(colour::green);
  comes_back(std::byte{7});
  comes_back(std::complex<double>(1, 2));
  comes_back(std::bitset<77>("1011"));
  comes_back(std::chrono::nanoseconds(5));
  comes_back(std::chrono::steady_clock::now());
  comes_back(std::chrono::year(2024) / 2 / 29);
  comes_back(opaque_plain(3));
  comes_back(std::monostate{});
}

TEST(codec, brings_back_strings_and_paths) {
  comes_back(std::string());
  comes_back(std::string(100'000, 'x'));
  comes_back(std::string("\0in the middle", 14));
  comes_back(std::u32string(U"wide"));
  comes_back(std::filesystem::path("/a/b c"));
  comes_back(forkful::shared_string("a text too long for the small-string buffer"));
}

TEST(codec, brings_back_containers) {
  comes_back(std::vector<int>{});
  comes_back(std::vector<double>(300'000, 1.5));
  comes_back(std::vector<bool>{true, false, true});
  comes_back(std::vector<std::string>{"", "a", std::string(3000, 'b')});
  comes_back(std::vector<std::vector<std::vector<int>>>{{}, {{}, {1, 2}}, {{3}}});
  comes_back(std::deque<int>{1, 2, 3});
  comes_back(std::deque<std::string>{"x", "y"});
  comes_back(std::list<std::string>{"x", "y"});
  comes_back(std::list<bool>{true, false});
  comes_back(std::forward_list<int>{1, 2, 3});
  comes_back(std::forward_list<std::string>{"x", "y"});
  comes_back(std::set<std::string>{"b", "a"});
  comes_back(std::set<int, std::greater<>>{1, 2, 3});
  comes_back(std::multiset<int>{1, 1, 2});
  comes_back(std::unordered_set<std::string>{"b", "a"});
  comes_back(std::map<int, double>{{1, 2.5}, {3, 4.5}});
  comes_back(std::map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}});
  comes_back(std::multimap<std::string, int>{{"a", 2}, {"a", 1}});
  comes_back(std::unordered_map<std::string, int>{{"a", 1}, {"b", 2}});
  comes_back(std::unordered_multimap<int, std::string>{{1, "x"}, {1, "y"}});
  comes_back(std::vector<int, forkful::shared_allocator<int>>{1, 2, 3});
}

TEST(codec, brings_back_sums_and_products) {
  comes_back(std::optional<int>());
  comes_back(std::optional<std::string>("x"));
  comes_back(std::optional<std::optional<int>>(std::optional<int>()));
  comes_back(std::variant<int, std::string, std::vector<int>>("x"));
  comes_back(std::pair<int, std::string>(1, "x"));
  comes_back(std::pair<char, double>('a', 2));
  comes_back(std::tuple<>());
  comes_back(std::tuple<std::string>("x"));
  comes_back(std::tuple<int, std::string, std::optional<double>>(1, "x", 2.5));
  comes_back(std::array<std::string, 3>{"a", "b", "c"});
  comes_back(std::array<std::string, 0>{});
  comes_back(std::array<std::array<int, 2>, 2>{{{1, 2}, {3, 4}}});
}

TEST(codec, brings_back_aggregates) {
  comes_back(point{1, 2});
  comes_back(std::vector<point>{{1, 2}, {3, 4}});
  comes_back(person{"Ada", point{1, 2}, {{"maths", {1, 1}}}, 1815});
  comes_back(tree{1, {{2, {}}, {3, {{4, {}}}}}});
  comes_back(label{"text", "owner", {{"a", "b"}, {"c", "d"}}});
}

TEST(codec, brings_back_what_only_moves_or_has_no_default) {
  comes_back(no_default(7));
  EXPECT_EQ(send<std::optional<no_default>>(std::optional<no_default>(std::in_place, 7))->n(), 7);
  std::vector<no_default> many;
  many.emplace_back(1);
  many.emplace_back(2);
  EXPECT_EQ(send<std::vector<no_default>>(many)[1].n(), 2);
  std::array<no_default, 2> two{no_default(1), no_default(2)};
  EXPECT_EQ((send<std::array<no_default, 2>>(two)[1].n()), 2);
  EXPECT_EQ(send<only_moves>(only_moves("x")).text, "x");
  EXPECT_EQ(send<holds_moving>(holds_moving{only_moves("x"), 3}).inside.text, "x");
  std::map<int, only_moves> map;
  map.emplace(1, only_moves("x"));
  EXPECT_EQ((send<std::map<int, only_moves>>(map).at(1).text), "x");
}

TEST(codec, brings_back_a_million_elements_that_write_nothing) {
  comes_back(std::vector<writes_nothing>(1'000'000));
  comes_back(std::set<std::tuple<>>{{}});
}

TEST(codec, keeps_alignment) {
  comes_back(wide{{1, 2, 3, 4, 5, 6, 7, 8}});
  comes_back(std::vector<wide>(3, wide{{1}}));
  comes_back(wider{7});
  comes_back(std::vector<wider>(3, wider{7}));
  comes_back(std::deque<wider>(3, wider{7}));
}

TEST(codec, of_the_user_wins_over_bytes_also_inside_other_types) {
  static_assert(kind_of<plain_with_codec> == kind::user);
  static_assert(!bitwise<plain_with_codec> && !bitwise<plain_holder> && !bitwise<std::pair<int, plain_with_codec>>);
  EXPECT_EQ(send<plain_with_codec>(plain_with_codec{1}).value, 1001);
  const auto back = send<plain_holder>(plain_holder{{{1}, {2}}, 3});
  EXPECT_EQ(back.inside[1].value, 1002);
  EXPECT_EQ(back.after, 3);
}

struct with_pointer {
  int* p;
};
struct with_reference {
  int& r;
};
struct derived : point {};
struct flags {
  unsigned a : 3;
  unsigned b : 5;
};
union either {
  int a;
  float b;
};

TEST(codec, knows_what_is_bitwise_and_what_travels_at_all) {
  static_assert(bitwise<point> && bitwise<std::pair<int, point>> && bitwise<std::tuple<int, char>> && bitwise<flags>);
  static_assert(bitwise<int[2][3]> && bitwise<std::array<point, 3>> && bitwise<const point>);
  static_assert(!bitwise<std::string_view> && !bitwise<std::optional<int>> && !bitwise<std::vector<int>>);
  static_assert(!bitwise<int*> && !bitwise<with_pointer> && !bitwise<with_reference> && !bitwise<int point::*>);
  static_assert(!bitwise<derived> && !bitwise<either> && !bitwise<std::tuple<int&>> && !bitwise<std::nullptr_t>);
  static_assert(travels<tree> && travels<std::span<const double>> && travels<std::vector<std::string_view>>);
  static_assert(travels<forkful::shared_vector<double>> && travels<std::span<forkful::shared_string>>);
  static_assert(!travels<int*> && !travels<int&> && !travels<with_pointer> && !travels<with_reference>);
  static_assert(!travels<derived> && !travels<either> && !travels<std::unique_ptr<int>> && !travels<void>);
  static_assert(!travels<std::function<void()>> && !travels<std::vector<std::map<int, with_pointer>>>);
  static_assert(!travels<std::set<int, bool (*)(int, int)>> && !travels<std::reference_wrapper<int>>);
}

TEST(codec, shows_strings_and_arrays_in_place) {
  sink out(private_segments());
  out.write(std::string("slice"));
  out.write(std::vector<double>{1, 2, 3});
  out.write(std::set<int>{3, 1, 2});
  source in(out.first());
  const auto text = in.read<std::string_view>();
  const auto numbers = in.read<std::span<const double>>();
  const auto sorted = in.read<std::span<int, 3>>();
  EXPECT_EQ(text, "slice");
  EXPECT_EQ(std::vector<double>(numbers.begin(), numbers.end()), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(sorted[2], 3);
  const char* frame = out.first()->data();
  EXPECT_GE(text.data(), frame);
  EXPECT_LT(reinterpret_cast<const char*>(numbers.data()), frame + out.size());
}

TEST(codec, passes_views_of_shared_memory_as_pointers) {
  forkful::shared_vector<double> table(1000, 2.0);
  const forkful::shared_string text(100, 'x');
  sink out(private_segments());
  out.write(std::span<double>(table));
  out.write(std::string_view(text));
  EXPECT_LE(out.size(), 5 * sizeof(void*));
  EXPECT_EQ(out.copied(), 0U);
  source in(out.first());
  EXPECT_EQ(in.read<std::span<const double>>().data(), table.data());
  EXPECT_EQ(in.read<std::string_view>().data(), text.data());
  source again(out.first());
  EXPECT_EQ(again.read<std::vector<double>>(), std::vector<double>(1000, 2.0));
  EXPECT_EQ(again.read<std::string>(), std::string(100, 'x'));
}

TEST(codec, reads_a_span_of_what_owns_memory_into_a_vector) {
  const std::vector<std::string> words{"a", "b"};
  sink out(private_segments());
  out.write(std::span<const std::string>(words));
  source in(out.first());
  std::vector<std::string> keep;
  EXPECT_EQ(forkful::detail::read_span(in, keep)[1], "b");
  source again(out.first());
  EXPECT_THROW(again.read<std::span<const std::string>>(), forkful::codec_error);
}

struct throws {
  operator std::string() const { throw 1; }
};
using breakable = std::variant<int, only_moves>;

TEST(codec, refuses_to_write_a_variant_without_a_value) {
  breakable broken(3);
  EXPECT_THROW(broken.emplace<1>(throws()), int);
  sink out(private_segments());
  EXPECT_THROW(out.write(broken), forkful::codec_error);
}

tree tower(int height) {
  tree top{0, {}};
  for (int i = 1; i < height; ++i) {
    tree next{i, {}};
    next.branches.push_back(std::move(top));
    top = std::move(next);
  }
  return top;
}

TEST(codec, limits_nesting_on_both_sides) {
  comes_back(tower(128));
  sink out(private_segments());
  EXPECT_THROW(out.write(tower(129)), forkful::codec_error);
  sink deep(private_segments());
  for (int i = 0; i < 200; ++i) {
    deep.write(i);
    deep.write(std::uint64_t{1});
  }
  source in(deep.first());
  EXPECT_THROW(in.read<tree>(), forkful::codec_error);
}

TEST(codec, gives_handles_away_only_when_everything_is_written) {
  forkful::shared_vector<int> numbers{1, 2, 3};
  int* const data = numbers.data();
  sink out(private_segments());
  std::pair<forkful::shared_vector<int>, breakable> result(std::move(numbers), 3);
  EXPECT_THROW(result.second.emplace<1>(throws()), int);
  EXPECT_THROW(out.give(result), forkful::codec_error);
  EXPECT_EQ(out.size(), 0U);
  EXPECT_EQ(result.first.data(), data);

  result.second = 4;
  out.write(result);  // writing lends
  EXPECT_EQ(result.first.data(), data);
  out.rollback({});
  out.give(result);
  EXPECT_EQ(result.first.data(), nullptr);

  source in(out.first());
  in.adopting(true);
  auto adopted = in.read<decltype(result)>();
  EXPECT_EQ(adopted.first.data(), data);
  EXPECT_EQ(adopted.first[2], 3);
  EXPECT_EQ(std::get<int>(adopted.second), 4);
}

TEST(codec, refuses_to_adopt_what_the_writer_did_not_own) {
  forkful::shared_vector<int> numbers{1, 2, 3};
  sink out(private_segments());
  out.write(numbers);
  source borrowing(out.first());
  EXPECT_EQ(borrowing.read<forkful::shared_vector<int>>().data(), numbers.data());
  const auto only_the_frame = [](void* frame, const void* at, std::size_t) { return at == frame; };
  source in(out.first(), {.most_bytes = SIZE_MAX, .self = out.first(), .owns = only_the_frame});
  in.adopting(true);
  EXPECT_THROW(in.read<forkful::shared_vector<int>>(), forkful::codec_error);
}

}  // namespace
}  // namespace codec_test
