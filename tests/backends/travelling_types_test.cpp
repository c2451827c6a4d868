// Types on their way to workers and back: what comes back must equal what was sent.
#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <deque>
#include <filesystem>
#include <limits>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;

template <class Pool>
using travelling_types = on_every_pool<Pool>;
TYPED_TEST_SUITE(travelling_types, every_pool, pool_names);

// Sent as slices and brought back as results.
template <class T, class Pool>
void expect_same_back(Pool& pool, const std::vector<T>& values) {
  EXPECT_EQ(pool.map(values, [](const T& value) { return value; }), values) << detail::type_name<T>();
}

enum class size : unsigned char { small, large };
struct point {
  double x, y;
  friend bool operator==(const point&, const point&) = default;
};
struct nothing {
  friend bool operator==(const nothing&, const nothing&) = default;
};
struct guest {
  std::string name;
  int plates[3];
  std::vector<point> path;
  std::optional<std::map<std::string, size>> likes;
  friend bool operator==(const guest&, const guest&) = default;
};
struct tree {
  int number;
  std::vector<tree> children;
  friend bool operator==(const tree&, const tree&) = default;
};

// One of each kind that is copied as bytes.
struct plain {
  char letter;
  long double precise;
  size how;
  point where;
  std::pair<char, double> both;
  std::array<std::array<int, 2>, 2> square;
  std::complex<float> turn;
  std::chrono::milliseconds wait;
  std::chrono::system_clock::time_point when;
  std::bitset<100> bits;
  friend bool operator==(const plain&, const plain&) = default;
};

// One of each kind that is taken apart.
struct composed {
  std::deque<std::list<int>> lists;
  std::unordered_map<int, std::string> names;
  std::unordered_set<std::string> words;
  std::multimap<int, std::vector<bool>> rows;
  std::u16string wide;
  std::filesystem::path path;
  std::optional<std::optional<int>> twice;
  std::variant<std::monostate, int, std::string, std::vector<double>> one_of;
  std::tuple<int, std::string, std::optional<point>> several;
  friend bool operator==(const composed&, const composed&) = default;
};

TYPED_TEST(travelling_types, plain_ones) {
  expect_same_back<char>(this->pool, {'a', '\0', char(-1)});
  expect_same_back<double>(this->pool, {0.5, -0.0, std::numeric_limits<double>::infinity()});
  expect_same_back<std::pair<char, double>>(this->pool, {{'a', 1}, {'b', 2}});
  expect_same_back<nothing>(this->pool, std::vector<nothing>(1000));
  expect_same_back<plain>(this->pool, {{'a',
                                        1e4000L,
                                        size::large,
                                        {1, 2},
                                        {'b', 3},
                                        {{{4, 5}, {6, 7}}},
                                        {8, 9},
                                        std::chrono::milliseconds(10),
                                        std::chrono::system_clock::time_point(std::chrono::seconds(11)),
                                        std::bitset<100>(12)},
                                       {}});
}

TYPED_TEST(travelling_types, containers_sums_and_products) {
  expect_same_back<std::vector<std::vector<std::string>>>(this->pool,
                                                          {{}, {{}}, {{"a", ""}, {std::string(1000, 'x')}}});
  expect_same_back<std::map<std::string, std::set<int>>>(this->pool, {{{"a", {1, 2}}, {"", {}}}, {}});
  expect_same_back<std::optional<std::string>>(this->pool, {std::nullopt, "", "cake"});
  expect_same_back<std::variant<std::monostate, int, std::string>>(this->pool, {std::monostate(), 5, "cake"});
  expect_same_back<std::tuple<>>(this->pool, {{}, {}});
  expect_same_back<std::tuple<int, std::string>>(this->pool, {{1, "one"}, {2, ""}});
  const composed full{{{1, 2}, {}}, {{1, "one"}, {2, "two"}}, {"a", "b"},       {{1, {true, false}}, {1, {}}}, u"slice",
                      "/usr/share", std::optional<int>(),     std::vector{0.5}, {1, "one", point{1, 2}}};
  expect_same_back<composed>(this->pool, {full, {}});
}

TYPED_TEST(travelling_types, structs_with_all_of_that_and_trees) {
  expect_same_back<guest>(this->pool, {{"Ada", {1, 2, 3}, {{1, 2}}, {{{"cake", size::large}}}}, {"", {}, {}, {}}});
  expect_same_back<tree>(this->pool, {{1, {{2, {}}, {3, {{4, {}}}}}}});
}

// A class with private members, whose codec says how it travels.
class polygon {
 public:
  polygon(std::string name, std::vector<point> corners) : name_(std::move(name)), corners_(std::move(corners)) {}
  friend bool operator==(const polygon&, const polygon&) = default;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<point>& corners() const { return corners_; }

 private:
  std::string name_;
  std::vector<point> corners_;
};

}  // namespace

template <>
struct forkful::codec<polygon> {
  static void write(sink& out, const polygon& value) {
    out.write(value.name());
    out.write(value.corners());
  }
  static polygon read(source& in) {
    auto name = in.read<std::string>();
    return {std::move(name), in.read<std::vector<point>>()};
  }
};

namespace {

TYPED_TEST(travelling_types, classes_with_a_codec) {
  expect_same_back<polygon>(this->pool, {{"triangle", {{0, 0}, {1, 0}, {0, 1}}}, {"", {}}});
  expect_same_back<std::map<int, std::optional<polygon>>>(this->pool, {{{1, polygon("a", {})}, {2, std::nullopt}}});
  std::vector<polygon> shapes(3, polygon("dot", {{1, 1}}));
  this->pool.update(shapes, [](polygon& shape) { shape = polygon(shape.name() + "s", shape.corners()); });
  EXPECT_EQ(shapes[2].name(), "dots");
}

TYPED_TEST(travelling_types, a_result_that_cannot_be_encoded_costs_its_slice_only) {
  if constexpr (forkful_tests::isolated<TypeParam>) {
    const auto got = this->pool.try_map(indices(10), [](std::size_t i) {
      tree deep{0, {}};
      tree* at = &deep;
      for (std::size_t k = 0; k < (i == 4 ? 1000U : 3U); ++k) at = &at->children.emplace_back(tree{1, {}});
      return deep;
    });
    ASSERT_EQ(got.size(), 10U);
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(got[i].has_value(), i != 4);
    EXPECT_THROW((void)got[4].value(), codec_error);
  }
}

}  // namespace
