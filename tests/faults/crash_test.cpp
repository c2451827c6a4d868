// Slices that end their worker in every way there is, on both pools of processes: docs/protocol.md, 2, 6, 7, 12, 17.
//
// The caller gets one sentence that names the slice; every other slice is delivered; the pool goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cfenv>
#include <csignal>
#include <cstdlib>
#include <forkful/forkful.hpp>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "faults/killing.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using forkful::shared_vector;
using forkful::snapshot_pool;
using forkful::worker_crashed;
using namespace forkful_tests;
using testing::HasSubstr;

enum class end { segfault, abort, divide, kill, terminate, exit_0, exit_3, quick_exit, overflow };

int too_deep(int frames) {
  volatile char room[4096];
  room[0] = 1;
  return frames == 0 ? 0 : too_deep(frames - 1) + room[0];
}

void die(end how) {
  switch (how) {
    case end::segfault:
      *static_cast<volatile char*>(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) = 1;
      break;
    case end::abort:
      std::abort();
    case end::divide: {
      feenableexcept(FE_DIVBYZERO);
      volatile double zero = 0;
      zero = 1 / zero;
      break;
    }
    case end::kill:
      raise(SIGKILL);
      break;
    case end::terminate:
      raise(SIGTERM);
      break;
    case end::exit_0:
      std::exit(0);
    case end::exit_3:
      std::exit(3);
    case end::quick_exit:
      _exit(7);
    case end::overflow: {
      const rlimit small{1 << 20, 1 << 20};
      setrlimit(RLIMIT_STACK, &small);
      std::ignore = too_deep(1'000'000);
      break;
    }
  }
}

struct way_to_die {
  const char* name;
  end how;
  int signal;
  int status;
};
void PrintTo(const way_to_die& way, std::ostream* out) { *out << way.name; }
constexpr way_to_die ways[] = {{"segfault", end::segfault, SIGSEGV, 0},
                               {"abort", end::abort, SIGABRT, 0},
                               {"divide", end::divide, SIGFPE, 0},
                               {"kill", end::kill, SIGKILL, 0},
                               {"terminate", end::terminate, SIGTERM, 0},
                               {"exit_0", end::exit_0, 0, 0},
                               {"exit_3", end::exit_3, 0, 3},
                               {"quick_exit", end::quick_exit, 0, 7},
                               {"overflow", end::overflow, SIGSEGV, 0}};

using counters = shared_vector<std::atomic<unsigned>>;

constexpr std::size_t slices = 40;
constexpr std::size_t bad = 17;

std::size_t square_unless_bad(std::size_t i, const counters& begun, const end& how) {
  begun[i].fetch_add(1);
  if (i == bad) die(how);
  return i * i;
}

// A crash of slice `bad`, in each way there is, reported as it was.
void expect_named(const worker_crashed& crash, const way_to_die& way, unsigned attempt) {
  EXPECT_EQ(crash.slice(), bad);
  EXPECT_EQ(crash.signal(), way.signal);
  if (way.signal == 0) {
    EXPECT_EQ(crash.exit_status(), way.status);
  }
  EXPECT_LT(crash.worker(), 2U);
  EXPECT_EQ(crash.attempt(), attempt);
  EXPECT_THAT(crash.what(), HasSubstr("slice 17"));
  EXPECT_THAT(crash.what(), HasSubstr("worker " + std::to_string(crash.worker())));
}

class slice_that_dies : public testing::TestWithParam<way_to_die> {
 protected:
  const watchdog bites_;
  counters begun_ = counters(slices);
};

template <class Pool>
void map_names_it_and_goes_on(Pool& pool, const way_to_die& way, const counters& begun) {
  for (const std::size_t chunk : {0, 1, 7}) {
    for (const unsigned attempts : {1U, 3U}) {
      SCOPED_TRACE(testing::Message() << way.name << ", chunk " << chunk << ", attempts " << attempts);
      for (auto& each : begun) each.store(0);
      try {
        std::ignore =
            pool.with({.chunk = chunk, .attempts = attempts}).map(indices(slices), square_unless_bad, begun, way.how);
        FAIL() << "nothing was thrown";
      } catch (const worker_crashed& crash) {
        expect_named(crash, way, attempts);
      }
      EXPECT_GE(pool.report().deaths, attempts);
      EXPECT_GE(begun[bad].load(), attempts);
      // Once more if it was first found in a block of several.
      EXPECT_LE(begun[bad].load(), attempts + (chunk == 1 ? 0U : 1U));
      for (std::size_t i = 0; i < bad; ++i) EXPECT_GE(begun[i].load(), 1U) << "lower slices are run first";
    }
  }
  const auto squares = pool.map(indices(5), [](std::size_t i) { return i * i; });
  EXPECT_EQ(squares, (std::vector<std::size_t>{0, 1, 4, 9, 16}));
}

TEST_P(slice_that_dies, is_named_by_map_on_a_process_pool) {
  process_pool pool{2};
  map_names_it_and_goes_on(pool, GetParam(), begun_);
}

TEST_P(slice_that_dies, is_named_by_map_on_a_snapshot_pool) {
  snapshot_pool pool{2};
  map_names_it_and_goes_on(pool, GetParam(), begun_);
}

TEST_P(slice_that_dies, costs_try_map_one_slice) {
  process_pool pool{2};
  for (const std::size_t chunk : {0, 1, 7}) {
    const auto outcomes =
        pool.with({.chunk = chunk}).try_map(indices(slices), square_unless_bad, begun_, GetParam().how);
    ASSERT_EQ(outcomes.size(), slices);
    for (std::size_t i = 0; i < slices; ++i) {
      ASSERT_EQ(outcomes[i].has_value(), i != bad) << i;
      if (i != bad) {
        EXPECT_EQ(outcomes[i].value(), i * i);
      }
    }
    try {
      std::ignore = outcomes[bad].value();
      FAIL() << "nothing was thrown";
    } catch (const worker_crashed& crash) {
      expect_named(crash, GetParam(), 1);
    }
  }
}

TEST_P(slice_that_dies, costs_for_each_one_row_in_place) {
  process_pool pool{2};
  shared_vector<forkful::shared_string> table;
  for (std::size_t i = 0; i < slices; ++i) table.emplace_back(std::to_string(i));
  const auto outcomes = pool.try_for_each(
      table,
      [](forkful::shared_string& slice, const end& how) {
        const bool dies = slice == "17";
        slice.append(100, 'x');
        if (dies) die(how);
      },
      GetParam().how);
  ASSERT_EQ(outcomes.size(), slices);
  for (std::size_t i = 0; i < slices; ++i) {
    ASSERT_EQ(outcomes[i].has_value(), i != bad) << i;
    EXPECT_EQ(std::string_view(table[i]), std::to_string(i) + std::string(100, 'x'));
  }
  EXPECT_THAT(outcomes[bad].failure().what, HasSubstr("half done"));
}

INSTANTIATE_TEST_SUITE_P(faults, slice_that_dies, testing::ValuesIn(ways),
                         [](const auto& which) { return std::string(which.param.name); });

}  // namespace
