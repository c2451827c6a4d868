// Libraries with threads of their own get their number inside workers from pool_options::inner_threads.
#include <gtest/gtest.h>
#include <unistd.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <forkful/forkful.hpp>
#include <string>
#include <thread>
#include <vector>

#include "faults/killing.hpp"

extern "C" {
extern int told_openblas;
extern int told_mkl;
extern std::int64_t told_blis;
extern std::size_t told_tbb;
}

namespace {

using forkful::indices;
using forkful::pool_options;
using forkful::process_pool;
using forkful::snapshot_pool;
using forkful_tests::watchdog;

// The numbers that OpenBLAS, MKL, BLIS and oneTBB got in this process.
std::array<int, 4> told(std::size_t) {
  return {told_openblas, told_mkl, static_cast<int>(told_blis), static_cast<int>(told_tbb)};
}

using all = std::vector<std::array<int, 4>>;

TEST(inner_threads, are_one_unless_asked_otherwise) {
  const watchdog bites;
  process_pool pool(2);
  EXPECT_EQ(pool.with({.chunk = 1}).map(indices(3), told), all(3, {1, 1, 1, 1}));
  snapshot_pool snapshot(2);
  EXPECT_EQ(snapshot.map(indices(3), told), all(3, {1, 1, 1, 1}));
  EXPECT_EQ(told(0), (std::array{8, 8, 8, 8})) << "only in workers";
}

TEST(inner_threads, are_as_many_as_asked_for) {
  const watchdog bites;
  process_pool pool(pool_options{.workers = 1, .inner_threads = 3});
  EXPECT_EQ(pool.map(indices(1), told), all(1, {3, 3, 3, 3}));
}

TEST(inner_threads, are_left_alone_with_0) {
  const watchdog bites;
  process_pool pool(pool_options{.workers = 1, .inner_threads = 0});
  EXPECT_EQ(pool.map(indices(1), told), all(1, {8, 8, 8, 8}));
}

// oneTBB takes locks that another thread might have held at the fork.
TEST(inner_threads, of_tbb_are_left_alone_where_threads_ran_at_the_fork) {
  const watchdog bites;
  std::atomic<bool> enough{false};
  std::thread other([&] {
    while (!enough) usleep(1000);
  });
  {
    snapshot_pool pool(1);
    EXPECT_EQ(pool.map(indices(1), told), all(1, {1, 1, 1, 8}));
  }
  enough = true;
  other.join();
}

TEST(inner_threads, are_in_the_environment_for_what_is_loaded_later) {
  const watchdog bites;
  setenv("OMP_NUM_THREADS", "7", 1);
  setenv("FORKFUL_TEST_OTHER", "untouched", 1);
  process_pool pool(pool_options{.workers = 1, .inner_threads = 2});
  const std::vector<std::string> names{"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
                                       "FORKFUL_TEST_OTHER"};
  const auto values = pool.map(names, [](const std::string& name) {
    const char* const value = std::getenv(name.c_str());
    setenv("FORKFUL_TEST_NEW", "set", 1);  // the C library goes on from what it finds
    return std::string(value == nullptr ? "" : value) + (std::getenv("FORKFUL_TEST_NEW") != nullptr ? "" : "!");
  });
  EXPECT_EQ(values, (std::vector<std::string>{"2", "2", "2", "2", "untouched"}));
  EXPECT_STREQ(std::getenv("OMP_NUM_THREADS"), "7");
  unsetenv("OMP_NUM_THREADS");
}

TEST(inner_threads, of_workers_inside_workers_are_their_own_pools) {
  const watchdog bites;
  process_pool pool(pool_options{.workers = 1, .inner_threads = 2});
  const auto inside = pool.map(indices(2), [](std::size_t) {
    process_pool inner(pool_options{.workers = 1, .inner_threads = 3});
    return inner.map(indices(1), [](std::size_t) { return std::string(std::getenv("OMP_NUM_THREADS")); })[0] +
           std::getenv("OMP_NUM_THREADS");
  });
  EXPECT_EQ(inside, (std::vector<std::string>{"32", "32"}));
}

TEST(inner_threads, may_be_set_by_the_program_itself) {
  const watchdog bites;
  process_pool pool(pool_options{.workers = 1, .on_worker_start = [] { told_mkl = 5; }});
  EXPECT_EQ(pool.map(indices(1), told), all(1, {1, 5, 1, 1}));
}

#ifdef _OPENMP
TEST(inner_threads, of_openmp_are_one_in_workers) {
  const watchdog bites;
  omp_set_num_threads(4);  // starts none yet: those of a parent that ran would be missing in forked workers
  process_pool pool(2);
  const auto most = pool.map(indices(4), [](std::size_t) {
    int together = 0;
#pragma omp parallel reduction(+ : together)
    together += 1;
    return std::array{omp_get_max_threads(), together};
  });
  ASSERT_EQ(most.size(), 4U);
  for (const auto& each : most) EXPECT_EQ(each, (std::array{1, 1}));
  EXPECT_EQ(omp_get_max_threads(), 4);

  process_pool wider(pool_options{.workers = 1, .inner_threads = 2});
  EXPECT_EQ(wider.map(indices(1), [](std::size_t) { return omp_get_max_threads(); }), (std::vector<int>{2}));
}
#endif

}  // namespace
