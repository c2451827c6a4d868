// What a slice throws comes back: as the standard class it was, with the slice it came from. The lowest index wins.
#include <array>
#include <atomic>
#include <bitset>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;

template <class Pool>
using exceptions = on_every_pool<Pool>;
TYPED_TEST_SUITE(exceptions, every_pool, pool_names);

// What `f` throws must be a Thrown and a slice_info of slice 3, with this text.
template <class Thrown, class Pool, class F>
void expect_thrown(Pool& pool, F f, const std::string& text) {
  try {
    (void)pool.map(indices(10), f);
    FAIL() << "nothing was thrown";
  } catch (const Thrown& thrown) {
    EXPECT_EQ(std::string(thrown.what()), text);
    const auto* info = dynamic_cast<const slice_info*>(&thrown);
    ASSERT_NE(info, nullptr);
    EXPECT_EQ(info->slice(), 3U);
    EXPECT_LT(info->worker(), pool.size());
    EXPECT_EQ(info->attempt(), 1U);
    EXPECT_FALSE(info->type().empty());
  } catch (const std::exception& other) {
    FAIL() << "another class was thrown: " << other.what();
  }
}

struct burnt : std::out_of_range {
  using std::out_of_range::out_of_range;
};

TYPED_TEST(exceptions, come_back_as_the_class_they_were) {
  auto& way = this->pool;
  expect_thrown<std::runtime_error>(
      way, [](std::size_t i) { return i == 3 ? throw std::runtime_error("no fork") : i; }, "no fork");
  expect_thrown<std::invalid_argument>(
      way, [](std::size_t i) { return i == 3 ? throw std::invalid_argument("") : i; }, "");
  expect_thrown<std::out_of_range>(
      way, [](std::size_t i) { return std::vector<int>(i == 3 ? 1 : 10).at(i); },
      "vector::_M_range_check: __n (which is 3) >= this->size() (which is 1)");
  expect_thrown<std::bad_alloc>(
      way, [](std::size_t i) { return i == 3 ? throw std::bad_alloc() : i; }, "std::bad_alloc");
  expect_thrown<std::bad_optional_access>(
      way, [](std::size_t i) { return i == 3 ? std::optional<std::size_t>().value() : i; }, "bad optional access");
  expect_thrown<std::bad_function_call>(
      way, [](std::size_t i) { return i == 3 ? std::function<int()>()() : 0; }, "bad_function_call");
  expect_thrown<std::out_of_range>(way, [](std::size_t i) { return i == 3 ? throw burnt("burnt") : i; }, "burnt");
  expect_thrown<std::system_error>(
      way,
      [](std::size_t i) {
        return i == 3 ? throw std::system_error(std::make_error_code(std::errc::no_space_on_device), "plate") : i;
      },
      "plate: No space left on device");
  expect_thrown<std::filesystem::filesystem_error>(
      way,
      [](std::size_t i) {
        return i == 3 ? throw std::filesystem::filesystem_error(
                            "cannot open", "/plate", std::make_error_code(std::errc::no_such_file_or_directory))
                      : i;
      },
      "filesystem error: cannot open: No such file or directory [/plate]");
}

TYPED_TEST(exceptions, keep_their_error_code) {
  try {
    this->pool.for_each(
        indices(1), [](std::size_t) { throw std::system_error(std::make_error_code(std::errc::no_space_on_device)); });
    FAIL();
  } catch (const std::system_error& thrown) {
    EXPECT_EQ(thrown.code(), std::errc::no_space_on_device);
  }
}

TYPED_TEST(exceptions, of_classes_of_the_users_own_name_their_type) {
  try {
    (void)this->pool.map(indices(5), [](std::size_t i) { return i == 2 ? throw burnt("black") : i; });
    FAIL();
  } catch (const slice_info& info) {
    EXPECT_NE(info.type().find("burnt"), std::string::npos) << info.type();
    EXPECT_EQ(info.slice(), 2U);
  }
}

TYPED_TEST(exceptions, that_are_none_come_back_as_slice_error) {
  try {
    (void)this->pool.map(indices(100), [](std::size_t i) { return i == 42 ? throw 42 : i; });
    FAIL();
  } catch (const slice_error& thrown) {
    EXPECT_EQ(thrown.slice(), 42U);
    EXPECT_EQ(thrown.type(), "int");
    EXPECT_NE(std::string(thrown.what()), "");
  }
}

TYPED_TEST(exceptions, come_through_every_verb) {
  const auto f = [](int x) { return x == 2 ? throw std::domain_error("two") : x; };
  const std::vector<int> in{1, 2, 3};
  std::vector<int> plain{1, 2, 3};
  shared_vector<int> shared{1, 2, 3};
  EXPECT_THROW((void)this->pool.map(in, f), std::domain_error);
  EXPECT_THROW(this->pool.map_into(shared, in, f), std::domain_error);
  EXPECT_THROW((void)this->pool.starmap(zip(in), f), std::domain_error);
  EXPECT_THROW(this->pool.for_each(in, f), std::domain_error);
  EXPECT_THROW(this->pool.for_each(shared_vector<int>{1, 2}, [](int&) { throw std::domain_error("all"); }),
               std::domain_error);
  EXPECT_THROW(this->pool.update(plain, [](int& x) { x == 2 ? throw std::domain_error("two") : ++x; }),
               std::domain_error);
  EXPECT_EQ(this->pool.map(in, [](int x) { return x; }), in) << "the pool goes on";
}

TYPED_TEST(exceptions, with_the_lowest_index_win_for_any_number_of_workers_and_any_chunk) {
  for (const unsigned workers : {1U, 2U, 3U, 7U}) {
    TypeParam pool_of_some(workers);
    for (const std::size_t chunk : {0U, 1U, 3U, 50U, 1000U}) {
      for (const std::size_t last : {451U, 470U, 999U}) {
        try {
          pool_of_some.with({.chunk = chunk})
              .for_each(
                  indices(1000),
                  [](std::size_t i, std::size_t other) {
                    if (i == 450 || i == other) throw std::range_error(std::to_string(i));
                  },
                  last);
          FAIL();
        } catch (const std::range_error& thrown) {
          ASSERT_STREQ(thrown.what(), "450") << workers << " workers, chunk " << chunk;
          ASSERT_EQ(dynamic_cast<const slice_info&>(thrown).slice(), 450U);
        }
      }
    }
  }
}

TYPED_TEST(exceptions, end_their_chunk_and_leave_nothing_below_them_out) {
  for (const std::size_t chunk : {10U, 10'000U}) {
    const shared_vector<int> finished(10'000);
    EXPECT_THROW(this->pool.with({.chunk = chunk})
                     .for_each(
                         indices(10'000),
                         [](std::size_t i, const shared_vector<int>& seen) {
                           if (i == 205) throw std::runtime_error("enough");
                           seen[i] = 1;
                         },
                         finished),
                 std::runtime_error);
    for (std::size_t i = 0; i < 205; ++i) ASSERT_EQ(finished[i], 1);
    const std::size_t end = chunk == 10 ? 210 : 10'000;
    for (std::size_t i = 205; i < end; ++i) ASSERT_EQ(finished[i], 0);
  }
}

TYPED_TEST(exceptions, options_that_do_not_fit_are_refused) {
  const auto f = [](std::size_t i) { return i; };
  EXPECT_THROW((void)this->pool.with({.attempts = 0}).map(indices(3), f), std::invalid_argument);
  EXPECT_EQ(this->pool.with({.attempts = 255}).map(indices(3), f).size(), 3U);
  EXPECT_EQ(this->pool.with({.chunk = 1'000'000'000'000}).map(indices(3), f).size(), 3U);
  if constexpr (forkful_tests::isolated<TypeParam>) {
    EXPECT_THROW((void)this->pool.with({.attempts = 256}).map(indices(3), f), std::invalid_argument);
    shared_vector<shared_string> texts(3);
    EXPECT_THROW(this->pool.with({.attempts = 2}).for_each(texts, [](shared_string& text) { text += "!"; }),
                 std::invalid_argument)
        << "what is not bitwise cannot be put back";
    shared_vector<double> numbers(3);
    this->pool.with({.attempts = 2}).for_each(numbers, [](double& x) { x = 1; });
    EXPECT_EQ(numbers[2], 1.0);
    this->pool.with({.attempts = 2}).for_each(slices(numbers, 2), [](std::span<double> s) { s[0] = 2; });
    EXPECT_EQ(numbers[2], 2.0);
    this->pool.with({.attempts = 2}).for_each(texts, [](const shared_string&) {});
  }
}

}  // namespace
