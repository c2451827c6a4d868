// Spans of mutable elements inside structs, tuples and containers: on pools of processes they point into shared memory, or the call
// says not_shared before anything runs. The caller would not see what workers wrote in a copy.
#include <gtest/gtest.h>

#include <forkful/forkful.hpp>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "every_pool.hpp"

namespace {

using forkful::shared_vector;
using forkful_tests::every_pool;
using forkful_tests::isolated;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;

template <class Pool>
using inner_spans = on_every_pool<Pool>;
TYPED_TEST_SUITE(inner_spans, every_pool, pool_names);

struct job {
  std::span<int> out;
  int k = 0;
};
struct batch {
  std::vector<job> jobs;
};
struct reading {
  std::span<const int> in;
};

constexpr auto set_job = [](const job& j) {
  j.out[0] = j.k;
  return j.k;
};

// Workers of the pool reach what lies in ordinary memory, or the call says that they do not.
template <class Pool, class Call>
void expect_refused_or_written(const char* what, std::vector<int>& out, Call call) {
  out.assign(out.size(), 0);
  if (isolated<Pool>) {
    try {
      call();
      ADD_FAILURE() << what << " did not throw";
    } catch (const forkful::not_shared& e) {
      EXPECT_NE(std::string(e.what()).find("ordinary memory"), std::string::npos) << e.what();
    }
    EXPECT_EQ(out[0], 0) << what;
  } else {
    call();
    EXPECT_EQ(out[0], 7) << what;
  }
}

template <class Pool, class Range, class F>
void expect_of_slices(Pool& pool, const char* what, std::vector<int>& out, const Range& range, F f) {
  expect_refused_or_written<Pool>(what, out, [&] { static_cast<void>(pool.map(range, f)); });
  expect_refused_or_written<Pool>(what, out, [&] { pool.for_each(range, f); });
}

TYPED_TEST(inner_spans, of_slices_in_ordinary_memory_are_refused_or_written) {
  std::vector<int> out(4);
  const std::span<int> all(out);
  expect_of_slices(this->pool, "struct", out, std::vector<job>{{all, 7}}, set_job);
  expect_of_slices(this->pool, "struct in struct", out, std::vector<batch>{{{{all, 7}}}},
                   [](const batch& b) { return set_job(b.jobs[0]); });
  using pair = std::pair<std::span<int>, int>;
  expect_of_slices(this->pool, "pair", out, std::vector<pair>{{all, 7}},
                   [](const pair& p) { return p.first[0] = p.second; });
  using spans = std::vector<std::span<int>>;
  expect_of_slices(this->pool, "vector", out, std::vector<spans>{{all}}, [](const spans& s) { return s[0][0] = 7; });
  using perhaps = std::optional<std::span<int>>;
  expect_of_slices(this->pool, "optional", out, std::vector<perhaps>{all},
                   [](const perhaps& s) { return (*s)[0] = 7; });
  using either = std::variant<int, std::span<int>>;
  expect_of_slices(this->pool, "variant", out, std::vector<either>{all},
                   [](const either& s) { return std::get<1>(s)[0] = 7; });
  using named = std::map<std::string, job>;
  expect_of_slices(this->pool, "map", out, named{{"a", {all, 7}}},
                   [](const named::value_type& s) { return set_job(s.second); });
  std::vector<job> jobs = {{all, 7}};
  expect_of_slices(this->pool, "span of structs", out, std::vector<std::span<const job>>{jobs},
                   [](std::span<const job> s) { return set_job(s[0]); });
}

TYPED_TEST(inner_spans, every_verb_looks_at_them) {
  std::vector<int> out(4);
  const std::vector<job> jobs = {{std::span<int>(out), 7}};
  auto& workers = this->pool;
  const auto expect = [&](const char* what, auto call) { expect_refused_or_written<TypeParam>(what, out, call); };
  expect("try_map", [&] { static_cast<void>(workers.try_map(jobs, set_job)); });
  expect("try_for_each", [&] { static_cast<void>(workers.try_for_each(jobs, set_job)); });
  expect("starmap", [&] {
    static_cast<void>(workers.starmap(std::vector<std::tuple<int, job>>{{0, jobs[0]}},
                                      [](int /*zero*/, const job& j) { return set_job(j); }));
  });
  expect("zip", [&] {
    static_cast<void>(workers.map(forkful::zip(jobs, forkful::indices(1)),
                                  [](const job& j, std::size_t /*zero*/) { return set_job(j); }));
  });
  const shared_vector<int> results(1);
  expect("map_into", [&] { workers.map_into(results, jobs, set_job); });
  expect("transform_reduce", [&] { static_cast<void>(workers.transform_reduce(jobs, 0, std::plus<>(), set_job)); });
  expect("submit", [&] { workers.submit(set_job, jobs[0]).get(); });
  expect("imap", [&] {
    for (const int k : workers.imap(jobs, set_job)) EXPECT_EQ(k, 7);
  });
  expect("imap_unordered", [&] {
    for (const auto& one : workers.imap_unordered(jobs, set_job)) EXPECT_EQ(one.value, 7);
  });
  expect("imap over spans", [&] {
    for (const int k : workers.imap(std::vector<std::span<int>>{out}, [](std::span<int> s) { return s[0] = 7; }))
      EXPECT_EQ(k, 7);
  });
}

TYPED_TEST(inner_spans, of_arguments_in_ordinary_memory_are_refused_or_written) {
  std::vector<int> out(4);
  const job one{std::span<int>(out), 7};
  auto& workers = this->pool;
  const auto expect = [&](const char* what, auto call) { expect_refused_or_written<TypeParam>(what, out, call); };
  const auto set = [](std::size_t /*zero*/, const job& j) { return set_job(j); };
  expect("map", [&] { static_cast<void>(workers.map(forkful::indices(1), set, one)); });
  expect("for_each", [&] { workers.for_each(forkful::indices(1), set, one); });
  std::vector<int> changed(1);
  expect("update", [&] { workers.update(changed, [](int& /*zero*/, const job& j) { set_job(j); }, one); });
  expect("imap", [&] {
    for (const int k : workers.imap(forkful::indices(1), set, one)) EXPECT_EQ(k, 7);
  });
  using pair = std::tuple<std::span<int>, int>;
  expect("tuple", [&] {
    workers.for_each(
        forkful::indices(1), [](std::size_t /*zero*/, const pair& p) { std::get<0>(p)[0] = std::get<1>(p); },
        pair{out, 7});
  });
}

TYPED_TEST(inner_spans, into_shared_memory_are_written_everywhere) {
  const shared_vector<int> out(4);
  const job one{std::span<int>(out.data(), 1), 7};
  EXPECT_EQ(this->pool.map(std::vector<job>{{one}, {std::span<int>(out.data() + 1, 1), 8}}, set_job),
            (std::vector<int>{7, 8}));
  EXPECT_EQ(out[0], 7);
  EXPECT_EQ(out[1], 8);
  this->pool.for_each(forkful::indices(1), [](std::size_t /*zero*/, const job& j) { j.out[0] = 9; }, one);
  EXPECT_EQ(out[0], 9);
  for (const int k : this->pool.imap(std::vector<job>{{std::span<int>(out.data() + 2, 1), 10}}, set_job))
    EXPECT_EQ(k, 10);
  EXPECT_EQ(out[2], 10);
}

TYPED_TEST(inner_spans, of_constants_and_empty_ones_may_lie_anywhere) {
  const std::vector<int> in = {1, 2, 3};
  EXPECT_EQ(this->pool.map(std::vector<reading>{{in}}, [](const reading& r) { return r.in[2]; }), std::vector<int>{3});
  EXPECT_EQ(this->pool.map(std::vector<job>{{{}, 5}}, [](const job& j) { return j.k; }), std::vector<int>{5});
  EXPECT_EQ(this->pool.map(
                forkful::indices(1), [](std::size_t i, const reading& r) { return r.in[i]; }, reading{in}),
            std::vector<int>{1});
}

}  // namespace
