// Arguments behind the callable: the same for every slice, passed once a call.
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using detail::in_shared_memory;
using forkful_tests::every_pool;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;
using forkful_tests::ships;

template <class Pool>
using broadcast = on_every_pool<Pool>;
TYPED_TEST_SUITE(broadcast, every_pool, pool_names);

struct recipe {
  std::string name;
  std::vector<double> grams;
  std::optional<int> minutes;
};

TYPED_TEST(broadcast, arguments_are_values_of_many_types) {
  const recipe cake{"plum cake", {250, 200, 150}, 45};
  const std::map<std::string, int> prices{{"plum", 3}};
  EXPECT_EQ(this->pool.map(
                indices(3),
                [](std::size_t i, int add, const recipe& r, const std::map<std::string, int>& p, double factor,
                   const std::vector<std::string>& names) {
                  return names[i] + r.name + std::to_string(r.minutes.value_or(0)) +
                         std::to_string(static_cast<int>(r.grams[i] * factor) + add + p.at("plum"));
                },
                1, cake, prices, 2.0, std::vector<std::string>{"a ", "b ", "c "}),
            (std::vector<std::string>{"a plum cake45504", "b plum cake45404", "c plum cake45304"}));
}

TYPED_TEST(broadcast, text_arrives_as_text) {
  const auto size = [](int, const std::string& text) { return text.size(); };
  EXPECT_EQ(this->pool.map(std::vector{1}, size, "cake"), std::vector<std::size_t>{4});
  EXPECT_EQ(this->pool.map(std::vector{1}, size, std::string(100'000, 'x')), std::vector<std::size_t>{100'000});
  const char* const pointer = "cake";
  EXPECT_EQ(this->pool.map(std::vector{1}, size, pointer), std::vector<std::size_t>{4});
  EXPECT_EQ(this->pool.map(
                std::vector{1}, [](int, std::string_view text) { return text.size(); }, "cake"),
            std::vector<std::size_t>{4});
  EXPECT_EQ(this->pool.map(
                std::vector{1}, [](int, const auto& text) { return text.size(); }, "cake"),
            std::vector<std::size_t>{4});
  EXPECT_EQ(this->pool.map(
                std::vector{1}, [](int, std::string_view text) { return text.size(); }, std::string_view("cake")),
            std::vector<std::size_t>{4});
}

TYPED_TEST(broadcast, arrays_arrive_as_arrays) {
  const int weights[3] = {1, 10, 100};
  EXPECT_EQ(this->pool.map(
                indices(3), [](std::size_t i, std::span<const int> w) { return w[i]; }, weights),
            (std::vector<int>{1, 10, 100}));
  EXPECT_EQ(this->pool.map(
                indices(3), [](std::size_t i, const auto& w) { return w[i]; }, weights),
            (std::vector<int>{1, 10, 100}));
}

TYPED_TEST(broadcast, spans_into_shared_memory_are_read_where_they_lie) {
  shared_vector<double> weights(1000, 0.5);
  const auto where = [](std::size_t, std::span<const double> w) {
    return reinterpret_cast<std::uintptr_t>(w.data()) + w.size();
  };
  const std::vector<std::uintptr_t> same(10, reinterpret_cast<std::uintptr_t>(weights.data()) + 1000);
  EXPECT_EQ(this->pool.map(indices(10), where, weights.span()), same);
  EXPECT_EQ(this->pool.map(indices(10), where, std::span<const double>(weights)), same);
  EXPECT_EQ(this->pool.map(indices(10), where, weights), same);
  EXPECT_EQ(this->pool.report().bytes_in, 0U);
}

TYPED_TEST(broadcast, spans_of_ordinary_memory_are_copied_once) {
  const std::vector<double> weights(1000, 0.5);
  EXPECT_EQ(
      this->pool.map(
          indices(10), [](std::size_t i, std::span<const double> w) { return w[i] + w[999]; }, std::span(weights)),
      std::vector<double>(10, 1.0));
  if (ships<TypeParam>) {
    EXPECT_GE(this->pool.report().bytes_in, 8000U);
    EXPECT_LE(this->pool.report().bytes_in, 8100U);
  }
}

struct tally {
  std::atomic<int> finished{0};
  std::atomic<std::size_t> last{0};
};

TYPED_TEST(broadcast, shared_objects_and_vectors_can_be_changed_by_every_worker) {
  shared<tally> counted;
  shared<std::atomic<long>> sum(0L);
  shared_vector<int> seen(1000);
  this->pool.for_each(
      indices(1000),
      [](std::size_t i, const shared<tally>& t, const shared<std::atomic<long>>& s, const shared_vector<int>& each) {
        t->finished.fetch_add(1);
        s->fetch_add(static_cast<long>(i));
        ++each[i];
      },
      counted, sum, seen);
  EXPECT_EQ(counted->finished, 1000);
  EXPECT_EQ(sum->load(), 499'500);
  for (const int times : seen) ASSERT_EQ(times, 1);
  EXPECT_EQ(this->pool.report().bytes_in, 0U);
}

TYPED_TEST(broadcast, handles_stay_the_callers) {
  shared_vector<shared_string> names;
  names.emplace_back(100U, 'n');
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(this->pool.map(
                  indices(20), [](std::size_t, const shared_vector<shared_string>& n) { return n[0].size(); }, names),
              std::vector<std::size_t>(20, 100));
  }
  names.emplace_back(200U, 'm');
  EXPECT_EQ(names.size(), 2U);
}

// Decoding counts itself: the object that counts is shared.
struct counting {
  shared<std::atomic<int>> decoded{0};
};

}  // namespace

template <>
struct forkful::codec<counting> {
  static void write(sink& out, const counting& value) { out.write(value.decoded); }
  static counting read(source& in) {
    counting made{in.read<shared<std::atomic<int>>>()};
    made.decoded->fetch_add(1);
    return made;
  }
};

namespace {

TYPED_TEST(broadcast, arguments_are_decoded_once_a_worker_not_once_a_slice) {
  const counting counted;
  (void)this->pool.with({.chunk = 1}).map(indices(200), [](std::size_t i, const counting&) { return i; }, counted);
  EXPECT_LE(counted.decoded->load(), 3);
  EXPECT_EQ(counted.decoded->load() > 0, ships<TypeParam>);
}

TYPED_TEST(broadcast, arguments_may_only_move) {
  const shared_vector<int> handle{1, 2, 3};
  EXPECT_EQ(this->pool.map(
                indices(3), [](std::size_t i, const shared_vector<int>& h) { return h[i]; }, handle),
            (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(
      this->pool.map(
          indices(3), [](std::size_t i, const shared_vector<int>& h) { return h[i]; }, shared_vector<int>{4, 5, 6}),
      (std::vector<int>{4, 5, 6}));
}

TYPED_TEST(broadcast, goes_to_every_verb) {
  shared_vector<int> cake{1, 2, 3};
  this->pool.for_each(cake, [](int& x, int add) { x += add; }, 10);
  EXPECT_EQ(cake[2], 13);
  std::vector<int> plain{1, 2, 3};
  this->pool.update(plain, [](int& x, const std::string& add) { x += std::stoi(add); }, "10");
  EXPECT_EQ(plain[2], 13);
  EXPECT_TRUE(
      this->pool.try_update(plain, [](int& x, const std::vector<int>& add) { x += add[0]; }, std::vector{10})[0]);
  EXPECT_EQ(plain[2], 23);
  EXPECT_EQ(this->pool.try_map(plain, [](int x, int add) { return x + add; }, 1)[2].value(), 24);
  EXPECT_TRUE(this->pool.try_for_each(plain, [](int, int) {}, 1)[2]);
  this->pool.map_into(cake, plain, [](int x, int add) { return x + add; }, 1);
  EXPECT_EQ(cake[2], 24);
  EXPECT_EQ(this->pool.starmap(
                std::vector{std::pair(1, 2)}, [](int a, int b, int c) { return a + b + c; }, 3),
            std::vector<int>{6});
}

}  // namespace
