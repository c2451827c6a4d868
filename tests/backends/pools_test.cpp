// Pools themselves: their size, moving them, several of them, threads, forks and nesting.
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backends/every_pool.hpp"
#include "support/in_child.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::in_child;
using forkful_tests::isolated;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;
using forkful_tests::pools_of_processes;

template <class Pool>
using pools = on_every_pool<Pool>;
TYPED_TEST_SUITE(pools, every_pool, pool_names);

template <class Pool>
bool works(Pool& pool, std::size_t slices = 100) {
  const auto got = pool.map(indices(slices), [](std::size_t i) { return i + 1; });
  for (std::size_t i = 0; i < slices; ++i) {
    if (got[i] != i + 1) return false;
  }
  return got.size() == slices;
}

TYPED_TEST(pools, have_as_many_workers_as_asked_for_or_cpus) {
  EXPECT_EQ(TypeParam(5U).size(), forkful_tests::alone<TypeParam>() ? 1U : 5U);
  EXPECT_EQ((TypeParam{pool_options{.workers = 2}}.size()), forkful_tests::alone<TypeParam>() ? 1U : 2U);
  EXPECT_GE(TypeParam().size(), 1U);
  EXPECT_EQ(TypeParam{0}.size(), TypeParam().size());
}

TYPED_TEST(pools, give_the_same_results_for_any_number_of_workers_and_any_chunk) {
  std::vector<std::string> words;
  for (int i = 0; i < 500; ++i) words.emplace_back(static_cast<std::size_t>(i), 'x');
  std::vector<std::size_t> wanted(500);
  std::iota(wanted.begin(), wanted.end(), 0);
  for (const unsigned workers : {1U, 2U, 3U, 7U}) {
    TypeParam some(workers);
    for (const std::size_t chunk : {0U, 1U, 3U, 500U, 10'000U}) {
      ASSERT_EQ(some.with({.chunk = chunk}).map(words, [](const std::string& word) { return word.size(); }), wanted);
      ASSERT_TRUE(works(some, 777));
    }
  }
}

TYPED_TEST(pools, can_be_moved) {
  TypeParam moved(std::move(this->pool));
  EXPECT_TRUE(works(moved));
  this->pool = std::move(moved);
  EXPECT_TRUE(works(this->pool));
  std::vector<TypeParam> many;
  for (unsigned i = 1; i <= 4; ++i) many.emplace_back(i);
  for (auto& each : many) EXPECT_TRUE(works(each));
  many.erase(many.begin(), many.begin() + 2);
  for (auto& each : many) EXPECT_TRUE(works(each));
}

TYPED_TEST(pools, live_side_by_side) {
  TypeParam a(2U);
  process_pool b(2U);
  serial_pool c;
  snapshot_pool d(2U);
  for (int round = 0; round < 5; ++round) {
    EXPECT_TRUE(works(a) && works(b) && works(c) && works(d) && works(this->pool));
  }
}

TYPED_TEST(pools, made_and_ended_often_leave_nothing_behind) {
  const int before = dup(0);
  close(before);
  for (int i = 0; i < 50; ++i) {
    TypeParam made(3U);
    EXPECT_TRUE(i % 2 == 0 || works(made));
  }
  const int after = dup(0);
  close(after);
  EXPECT_EQ(before, after) << "file descriptors leaked";
}

TYPED_TEST(pools, serve_several_threads_at_once) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 20; ++i) {
        if (works(this->pool, 10 * t + i) && this->pool.report().slices == 10 * t + i) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

TYPED_TEST(pools, serve_threads_each_with_one_of_its_own) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::vector<std::string> slices(20, std::string(100 + t, 'x'));
      for (int i = 0; i < 5; ++i) {
        TypeParam own(2U);
        const auto got = own.map(slices, [](const std::string& slice) { return slice + "!"; });
        if (got.size() == 20 && got[19] == slices[19] + "!") ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 20);
}

TYPED_TEST(pools, outlive_the_thread_that_made_or_used_them) {
  std::optional<TypeParam> made;
  std::thread([&] {
    made.emplace(2U);
    EXPECT_TRUE(works(*made));
  }).join();
  EXPECT_TRUE(works(*made));
  std::thread([&] { EXPECT_TRUE(works(*made)); }).join();
  EXPECT_TRUE(works(*made));
  std::thread([&] { made.reset(); }).join();
}

int sum_in_a_pool_of_its_own(int n) {
  process_pool inner(2U);
  const auto numbers =
      inner.map(indices(static_cast<std::size_t>(n)), [](std::size_t i) { return static_cast<int>(i); });
  shared_vector<int> squares(numbers);
  inner.for_each(squares, [](int& x) { x *= x; });
  return std::accumulate(squares.begin(), squares.end(), 0);
}

TYPED_TEST(pools, can_be_made_inside_a_slice) {
  EXPECT_EQ(this->pool.map(std::vector{1, 2, 3, 4, 5, 6}, sum_in_a_pool_of_its_own),
            (std::vector<int>{0, 1, 5, 14, 30, 55}));
  // What the worker was given stays readable and writable beside its own pool's memory.
  const shared_vector<shared_string> outer(6, shared_string("outer"));
  this->pool.for_each(outer, [](shared_string& text) {
    serial_pool own;
    snapshot_pool inner(2U);
    const auto sizes = inner.map(indices(3), [&](std::size_t i) { return text.size() + i; });
    text.append(50 + sizes[2], '!');
  });
  for (const auto& text : outer) ASSERT_EQ(text.size(), 5U + 50 + 7);
}

TYPED_TEST(pools, are_not_disturbed_by_signals) {
  const auto end = in_child([] {
    struct sigaction handled{};
    handled.sa_handler = [](int) {};  // without SA_RESTART: every system call may be interrupted
    sigaction(SIGALRM, &handled, nullptr);
    const itimerval often{{0, 500}, {0, 500}};
    setitimer(ITIMER_REAL, &often, nullptr);
    TypeParam own(2U);
    for (int i = 0; i < 50; ++i) {
      if (!works(own)) return 1;
    }
    return 0;
  });
  EXPECT_TRUE(end.exited_with(0)) << end.status;
}

template <class Pool>
using pools_with_workers = on_every_pool<Pool>;
TYPED_TEST_SUITE(pools_with_workers, pools_of_processes, pool_names);

TYPED_TEST(pools_with_workers, inherited_by_fork_refuse_and_leave_the_callers_alone) {
  EXPECT_TRUE(works(this->pool));
  const auto end = in_child([&] {
    try {
      (void)this->pool.map(indices(3), [](std::size_t i) { return i; });
      return 1;
    } catch (const wrong_process& refused) {
      if (refused.code() != "wrong_process") return 2;
    }
    {
      const TypeParam gone(std::move(this->pool));
    }
    TypeParam own(2U);
    return works(own) ? 0 : 3;
  });
  EXPECT_TRUE(end.exited_with(0)) << end.status;
  EXPECT_TRUE(works(this->pool));
  EXPECT_EQ(this->pool.report().deaths, 0U);
}

TYPED_TEST(pools_with_workers, refuse_to_be_used_by_their_own_workers) {
  static TypeParam* reachable = nullptr;
  reachable = &this->pool;
  const auto refused = this->pool.map(indices(4), [](std::size_t) {
    if (reachable == nullptr) return 0;  // a process_pool's workers began before it was set
    try {
      (void)reachable->map(indices(3), [](std::size_t i) { return i; });
      return 2;
    } catch (const wrong_process&) {
      return 0;
    }
  });
  EXPECT_EQ(refused, std::vector<int>(4, 0));
}

TYPED_TEST(pools_with_workers, are_not_confused_by_slices_that_fork) {
  const auto got = this->pool.map(indices(1000), [](std::size_t i) {
    if (i % 100 == 7 && fork() == 0) return -1;  // comes back into the worker's code, and must go no further
    return static_cast<int>(i);
  });
  ASSERT_EQ(got.size(), 1000U);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(got[static_cast<std::size_t>(i)], i);
  const shared_vector<int> out(1000);
  this->pool.map_into(out, indices(1000), [](std::size_t i) {
    if (i % 100 == 7 && fork() == 0) return -1;
    return static_cast<int>(i);
  });
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(out[static_cast<std::size_t>(i)], i);
}

TYPED_TEST(pools_with_workers, need_no_more_than_1023) { EXPECT_THROW(TypeParam(100'000U), std::invalid_argument); }

}  // namespace
