// The figures of the last call: what was copied and what was not, in how many chunks.
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::isolated;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;
using forkful_tests::ships;

template <class Pool>
using reports = on_every_pool<Pool>;
TYPED_TEST_SUITE(reports, every_pool, pool_names);

TYPED_TEST(reports, are_empty_before_the_first_call) {
  const report none = this->pool.report();
  EXPECT_EQ(none.slices, 0U);
  EXPECT_EQ(none.chunks, 0U);
  EXPECT_EQ(none.wall.count(), 0);
}

TYPED_TEST(reports, count_slices_chunks_and_workers_and_name_the_way) {
  (void)this->pool.map(indices(100), [](std::size_t i) { return i; });
  const report r = this->pool.report();
  EXPECT_EQ(r.slices, 100U);
  EXPECT_GE(r.chunks, 1U);
  EXPECT_LE(r.chunks, 100U);
  EXPECT_EQ(r.workers, this->pool.size());
  EXPECT_EQ(r.workers, forkful_tests::alone<TypeParam>() ? 1U : 3U);
  EXPECT_GT(r.wall.count(), 0);
  EXPECT_EQ(r.deaths, 0U);
  EXPECT_EQ(r.retries, 0U);
  EXPECT_EQ(r.way, forkful_tests::way_of<TypeParam>());
  EXPECT_NE(r.text().find(r.way), std::string::npos) << r.text();
}

TYPED_TEST(reports, count_the_chunks_asked_for) {
  for (const std::size_t chunk : {1U, 3U, 100U, 1000U}) {
    const std::size_t expected = forkful_tests::chunks_of<TypeParam>(100, chunk);
    if (expected == 0) GTEST_SKIP() << "how many chunks there are depends on how long slices take";
    (void)this->pool.with({.chunk = chunk}).map(indices(100), [](std::size_t i) { return i; });
    EXPECT_EQ(this->pool.report().chunks, expected) << "chunks of " << chunk;
  }
}

TYPED_TEST(reports, count_no_bytes_in_for_what_lies_in_shared_memory) {
  const shared_vector<double> numbers(1000, 0.5);
  const shared_vector<shared_string> texts(100, shared_string(1000, 'x'));
  const auto expect_none = [&](const char* what) { EXPECT_EQ(this->pool.report().bytes_in, 0U) << what; };

  (void)this->pool.map(indices(1000), [](std::size_t i) { return i; });
  expect_none("indices");
  (void)this->pool.map(numbers, [](double x) { return x; });
  expect_none("numbers");
  (void)this->pool.map(numbers.span(), [](const double& x) { return x; });
  expect_none("a span of numbers");
  (void)this->pool.map(slices(numbers, 7), [](std::span<const double> s) { return s.size(); });
  expect_none("slices of numbers");
  (void)this->pool.map(slices(numbers.span(), 7), [](std::span<const double> s) { return s.size(); });
  expect_none("slices of a span of numbers");
  (void)this->pool.map(texts, [](std::string_view t) { return t.size(); });
  expect_none("texts");
  (void)this->pool.map(texts, [](const auto& t) { return t.size(); });
  expect_none("texts, for a generic callable");
  (void)this->pool.map(texts, [](shared_string& t) { return t.size(); });
  expect_none("texts that the callable may change a copy of");
  (void)this->pool.map(zip(numbers, indices(1000), texts),
                       [](double, std::size_t, std::string_view t) { return t.size(); });
  expect_none("zip of them");
  (void)this->pool.map(slices(texts, 7), [](std::span<const shared_string> s) { return s.size(); });
  expect_none("slices of texts");
  (void)this->pool.map(std::vector<std::span<const double>>{numbers.span()},
                       [](std::span<const double> s) { return s.size(); });
  expect_none("a list of spans");
  (void)this->pool.map(std::vector<std::string_view>{texts[0]}, [](std::string_view t) { return t.size(); });
  expect_none("a list of string_views");
  this->pool.for_each(numbers, [](double& x) { x += 1; });
  expect_none("in place");
  (void)this->pool.map(
      indices(3),
      [](std::size_t, const shared_vector<double>& n, std::span<const double> s, std::string_view t) {
        return n.size() + s.size() + t.size();
      },
      numbers, numbers.span(), std::string_view(texts[0]));
  expect_none("broadcast handles");
}

TYPED_TEST(reports, count_what_is_copied) {
  const auto count = [&] { return this->pool.report().bytes_in; };
  const std::vector<double> numbers(1000, 0.5);
  (void)this->pool.map(numbers, [](double x) { return x; });
  EXPECT_EQ(count(), ships<TypeParam> ? 8000U : 0U);
  EXPECT_EQ(this->pool.report().bytes_out, isolated<TypeParam> ? 8000U : 0U);
  (void)this->pool.map(slices(numbers, 7), [](std::span<const double> s) { return s.size(); });
  EXPECT_EQ(count(), ships<TypeParam> ? 8000U : 0U);
  (void)this->pool.map(std::vector<std::string>(10, std::string(1000, 'x')),
                       [](std::string_view t) { return t.size(); });
  EXPECT_GE(count(), ships<TypeParam> ? 10'000U : 0U);
  EXPECT_LE(count(), ships<TypeParam> ? 10'200U : 0U);
  (void)this->pool.map(indices(10), [](std::size_t i, const std::vector<double>& n) { return n[i]; }, numbers);
  EXPECT_GE(count(), ships<TypeParam> ? 8000U : 0U);
  EXPECT_LE(count(), ships<TypeParam> ? 8100U : 0U) << "once a call, not once a slice";
  std::vector<double> changed(numbers);
  this->pool.update(changed, [](double& x) { x += 1; });
  EXPECT_EQ(this->pool.report().bytes_out, isolated<TypeParam> ? 8000U : 0U);
}

TYPED_TEST(reports, are_kept_also_of_calls_that_fail) {
  EXPECT_ANY_THROW((void)this->pool.map(indices(77), [](std::size_t) -> int { throw 1; }));
  EXPECT_EQ(this->pool.report().slices, 77U);
}

TYPED_TEST(reports, are_of_this_thread_and_this_pool) {
  (void)this->pool.map(indices(10), [](std::size_t i) { return i; });
  TypeParam other(2U);
  (void)other.map(indices(20), [](std::size_t i) { return i; });
  std::thread([&] {
    EXPECT_EQ(this->pool.report().slices, 0U);
    (void)this->pool.map(indices(30), [](std::size_t i) { return i; });
    EXPECT_EQ(this->pool.report().slices, 30U);
  }).join();
  EXPECT_EQ(this->pool.report().slices, 10U);
  EXPECT_EQ(other.report().slices, 20U);
}

}  // namespace
