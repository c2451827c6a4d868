// submit with handles and spans into shared memory: they go along by address, and what the call changes is the caller's.
#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::isolated;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;
using forkful_tests::pools_of_processes;

template <class Pool>
using submit_in_place = on_every_pool<Pool>;
TYPED_TEST_SUITE(submit_in_place, every_pool, pool_names);

TYPED_TEST(submit_in_place, handles_are_passed_by_address_and_stay_the_callers) {
  const shared<std::atomic<int>> count(0);
  shared_vector<double> table(1000, 2.0);
  std::vector<future<void>> calls;
  for (int i = 0; i != 20; ++i)
    calls.push_back(this->pool.submit([](const shared<std::atomic<int>>& all) { all->fetch_add(1); }, count));
  for (auto& one : calls) one.get();
  EXPECT_EQ(count->load(), 20);
  this->pool.submit([](const shared_vector<double>& all) { all[3] = 4.0; }, table).get();
  EXPECT_EQ(table[3], 4.0);
  EXPECT_EQ(this->pool.report().bytes_in, 0U);
  EXPECT_EQ(this->pool.report().bytes_shared, isolated<TypeParam> ? 8000U : 0U);
  EXPECT_EQ(table.size(), 1000U) << "a handle that was an lvalue stays what it was";
}

TYPED_TEST(submit_in_place, handles_arrive_as_the_callable_takes_them) {
  shared_vector<int> table(10, 1);
  this->pool.submit([](shared_vector<int>& all) { all[0] = 2; }, table).get();
  this->pool.submit([](shared_vector<int> all) { all[1] = 3; }, table).get();
  this->pool.submit([](shared_vector<int>&& all) { all[2] = 4; }, table).get();
  this->pool.submit([](const auto& all) { all[3] = 5; }, table).get();
  this->pool.submit([](std::span<int> all) { all[4] = 6; }, table).get();
  EXPECT_EQ(std::vector<int>(table.begin(), table.end()), (std::vector<int>{2, 3, 4, 5, 6, 1, 1, 1, 1, 1}));
  const auto sum = [](std::span<const int> all) { return all[0] + all[9]; };
  EXPECT_EQ(this->pool.submit(sum, table).get(), 3);
  EXPECT_EQ(this->pool.submit(sum, shared_vector<int>(10, 7)).get(), 14) << "an rvalue is the call's";
}

TYPED_TEST(submit_in_place, spans_of_shared_memory_are_changed_where_they_lie) {
  const shared_vector<double> table(100, 2.0);
  this->pool
      .submit(
          [](std::span<double> part) {
            for (double& x : part) x = 3.0;
          },
          table.span().subspan(10, 5))
      .get();
  for (std::size_t i = 0; i != 100; ++i) ASSERT_EQ(table[i], i >= 10 && i < 15 ? 3.0 : 2.0);
  EXPECT_EQ(this->pool.report().bytes_in, 0U);
  this->pool.submit([](int by, const std::span<double>& part) { part[0] *= by; }, 5, table.span()).get();
  EXPECT_EQ(table[0], 10.0);
  EXPECT_EQ(this->pool.submit([](std::span<double> none) { return none.size(); }, std::span<double>()).get(), 0U);
}

TYPED_TEST(submit_in_place, strings_in_shared_memory_are_passed_by_address) {
  shared_vector<shared_string> names(3);
  this->pool.submit([](shared_string& name) { name.assign(100, 'n'); }, names[1]).get();
  EXPECT_EQ(names[1], shared_string(100, 'n'));
  EXPECT_EQ(this->pool.report().bytes_in, 0U);
  EXPECT_EQ(this->pool.submit([](std::string_view name) { return name.size(); }, names[1]).get(), 100U);
  EXPECT_EQ(
      this->pool.submit([](const shared_string& name) { return std::string(name); }, std::as_const(names[1])).get(),
      std::string(100, 'n'));
  this->pool.submit([](shared_string& name) { name.clear(); }, std::as_const(names[1])).get();
  EXPECT_EQ(names[1].size(), 100U) << "a constant one is not changed";
  const shared_string short_one("short");
  EXPECT_EQ(this->pool.submit([](const auto& name) { return name.size(); }, short_one).get(), 5U);
  EXPECT_EQ(this->pool.submit([](shared_string name) { return name.size(); }, shared_string(50, 'x')).get(), 50U);
}

TYPED_TEST(submit_in_place, arguments_that_are_only_moved_and_c_arrays) {
  const int numbers[] = {1, 2, 3};
  EXPECT_EQ(this->pool.submit([](const std::array<int, 3>& three) { return three[2]; }, numbers).get(), 3);
  EXPECT_EQ(this->pool
                .submit([](const std::tuple<int, std::string>& both) { return std::get<1>(both); },
                        std::tuple<int, std::string>(1, "one"))
                .get(),
            "one");
}

template <class Pool>
using submit_to_processes = on_every_pool<Pool>;
TYPED_TEST_SUITE(submit_to_processes, pools_of_processes, pool_names);

TYPED_TEST(submit_to_processes, mutable_spans_of_ordinary_memory_are_refused) {
  std::vector<int> plain(5, 1);
  const auto change = [](std::span<int> part) { part[0] = 2; };
  try {
    this->pool.submit(change, std::span(plain)).get();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const not_shared& error) {
    EXPECT_NE(std::string_view(error.what()).find("submit"), std::string_view::npos) << error.what();
    EXPECT_NE(std::string_view(error.what()).find("shared_vector"), std::string_view::npos) << error.what();
  }
  EXPECT_EQ(plain[0], 1);
  const auto read = [](std::span<const int> part) { return part.size(); };
  EXPECT_EQ(this->pool.submit(read, std::span(plain)).get(), 5U) << "reading a copy is all right";
}

TYPED_TEST(submit_to_processes, mutable_spans_in_the_tuples_of_starmap_are_asked_too) {
  const shared_vector<int> table(4);
  std::vector<int> plain(4);
  using row = std::tuple<std::span<int>, int>;
  const auto change = [](std::span<int> part, int value) {
    part[0] = value;
    return value;
  };
  EXPECT_EQ(this->pool.starmap(std::vector<row>{{table.span().first(2), 5}, {table.span().last(2), 6}}, change),
            (std::vector<int>{5, 6}));
  EXPECT_EQ(table[0] + table[2], 11);
  EXPECT_THROW((void)this->pool.starmap(std::vector<row>{{table, 5}, {plain, 6}}, change), not_shared);
}

}  // namespace
