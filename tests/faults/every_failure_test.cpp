// One call in which slices fail in every way there is, at once: exactly those fail, each reported as what it was, and
// all others are delivered (docs/errors.md; docs/protocol.md, 6, 7, 14, 15, 17).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <forkful/forkful.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "faults/killing.hpp"

namespace {

using namespace std::chrono_literals;
using forkful::call_options;
using forkful::failure_kind;
using forkful::indices;
using forkful::outcome;
using forkful::pool_options;
using forkful::process_pool;
using forkful::shared_vector;
using forkful::slice_failure;
using forkful::snapshot_pool;
using namespace forkful_tests;
using testing::HasSubstr;

// What happens in which slice; in all others nothing does.
enum class way { well, exit, abort, overflow, kill, throw_int, throw_error, stop, hang, too_much_memory };
constexpr std::size_t slices = 40;
constexpr std::array<way, slices> plan = [] {
  std::array<way, slices> all{};
  all[2] = way::exit;
  all[5] = way::abort;
  all[6] = way::overflow;
  all[11] = way::throw_int;
  all[17] = way::stop;
  all[18] = way::kill;
  all[23] = way::hang;
  all[29] = way::throw_error;
  all[39] = way::too_much_memory;
  return all;
}();

struct no_exception {};

[[gnu::noinline]] int too_deep(int frames) {
  volatile char room[4096];
  room[0] = 1;
  const int below = frames == 0 ? 0 : too_deep(frames - 1);
  return below + room[0];
}

void go_wrong(way how) {
  switch (how) {
    case way::well:
      break;
    case way::exit:
      std::exit(4);
    case way::abort:
      std::abort();
    case way::overflow: {
      const rlimit small{1 << 20, 1 << 20};
      setrlimit(RLIMIT_STACK, &small);
      std::ignore = too_deep(1'000'000);
      break;
    }
    case way::kill:
      raise(SIGKILL);
      break;
    case way::throw_int:
      throw 42;
    case way::throw_error:
      throw no_exception{};
    case way::stop:
      raise(SIGSTOP);
      break;
    case way::hang:
      for (;;) pause();
    case way::too_much_memory:
      if (sanitized) throw std::bad_alloc{};  // AddressSanitizer ends a process that is refused memory
      std::ignore = std::vector<char>(std::size_t{300} << 20, 'x').size();
  }
}

void expect_told(const slice_failure& failure, std::size_t slice) {
  SCOPED_TRACE(testing::Message() << "slice " << slice << ": " << failure.what);
  EXPECT_EQ(failure.slice, slice);
  const auto died = [&](int signal, int status) {
    EXPECT_EQ(failure.kind, failure_kind::crash);
    EXPECT_EQ(failure.signal, signal);
    if (signal == 0) {
      EXPECT_EQ(failure.exit_status, status);
    }
    EXPECT_THAT(failure.what, HasSubstr("slice " + std::to_string(slice)));
  };
  switch (plan[slice]) {
    case way::well:
      ADD_FAILURE() << "nothing was wrong with it";
      break;
    case way::exit:
      died(0, 4);
      break;
    case way::abort:
      died(SIGABRT, 0);
      break;
    case way::overflow:
      died(SIGSEGV, 0);
      EXPECT_THAT(failure.what, HasSubstr("overflowed its stack"));
      break;
    case way::kill:
      died(SIGKILL, 0);
      break;
    case way::throw_int:
      EXPECT_EQ(failure.type, "int");
      EXPECT_THAT(failure.what, HasSubstr("42"));
      break;
    case way::throw_error:
      EXPECT_THAT(failure.type, HasSubstr("no_exception"));
      break;
    case way::stop:
    case way::hang:
      EXPECT_EQ(failure.kind, failure_kind::timeout);
      break;
    case way::too_much_memory:
      EXPECT_EQ(failure.kind, failure_kind::memory);
      EXPECT_EQ(failure.type, "std::bad_alloc");
      break;
  }
}

constexpr bool is_thrown(way how) {
  return how == way::throw_int || how == way::throw_error || how == way::too_much_memory;
}

pool_options limited() { return {.workers = 2, .worker_memory_limit = sanitized ? 0 : std::size_t{64} << 20}; }

call_options limited_call(std::size_t chunk, unsigned attempts) {
  return {.chunk = chunk, .timeout = sanitized ? 900ms : 400ms, .attempts = attempts};
}

using counters = shared_vector<std::atomic<unsigned>>;

template <class R>
void expect_only_those(const std::vector<outcome<R>>& outcomes, const counters& begun, unsigned attempts) {
  ASSERT_EQ(outcomes.size(), slices);
  std::size_t failed = 0;
  for (std::size_t i = 0; i < slices; ++i) {
    ASSERT_EQ(outcomes[i].has_value(), plan[i] == way::well) << i;
    if (plan[i] == way::well) continue;
    ++failed;
    expect_told(outcomes[i].failure(), i);
    if (!is_thrown(plan[i])) {
      EXPECT_EQ(outcomes[i].failure().attempt, attempts);
      EXPECT_EQ(begun[i].load(), attempts) << "slice " << i << " was tried as often as it may be";
    }
  }
  EXPECT_EQ(failed, 9U);
}

template <class Pool>
void map_all_but_those(Pool& pool, std::size_t chunk, unsigned attempts) {
  SCOPED_TRACE(testing::Message() << "chunk " << chunk << ", attempts " << attempts);
  const counters begun(slices);
  const auto outcomes = pool.with(limited_call(chunk, attempts))
                            .try_map(
                                indices(slices),
                                [](std::size_t i, const counters& all) {
                                  all[i].fetch_add(1);
                                  go_wrong(plan[i]);
                                  return i * i;
                                },
                                begun);
  expect_only_those(outcomes, begun, attempts);
  for (std::size_t i = 0; i < slices; ++i) {
    if (plan[i] == way::well) {
      EXPECT_EQ(outcomes[i].value(), i * i);
    }
  }
  EXPECT_EQ(pool.report().deaths, 6 * attempts) << "one for each attempt of the six that end their worker";
  const auto after = pool.map(indices(3), [](std::size_t i) { return i; });
  EXPECT_EQ(after, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(every_failure, at_once_costs_a_process_pool_those_slices) {
  const watchdog bites;
  process_pool pool(limited());
  map_all_but_those(pool, 1, 1);
  map_all_but_those(pool, 0, 2);
}

TEST(every_failure, at_once_costs_a_snapshot_pool_those_slices) {
  const watchdog bites;
  snapshot_pool pool(limited());
  map_all_but_those(pool, 9, 1);
}

TEST(every_failure, at_once_in_place_leaves_the_others_run_once) {
  const watchdog bites;
  process_pool pool(limited());
  for (const unsigned attempts : {1U, 2U}) {
    const counters begun(slices);
    shared_vector<double> table;
    for (std::size_t i = 0; i < slices; ++i) table.push_back(static_cast<double>(i));
    const auto outcomes = pool.with(limited_call(7, attempts))
                              .try_for_each(
                                  table,
                                  [](double& x, const counters& all) {
                                    const auto i = static_cast<std::size_t>(x);
                                    if (all[i].fetch_add(1) > 0 && plan[i] == way::well) std::abort();
                                    x += 0.5;
                                    go_wrong(plan[i]);
                                    x += 100;
                                  },
                                  begun);
    expect_only_those(outcomes, begun, attempts);
    for (std::size_t i = 0; i < slices; ++i) {
      EXPECT_EQ(table[i], static_cast<double>(i) + (plan[i] == way::well ? 100.5 : 0.5)) << i;
    }
  }
}

TEST(every_failure, ends_imap_after_the_results_before_it) {
  const watchdog bites;
  process_pool pool(2);
  for (const way how : {way::abort, way::stop, way::throw_int}) {
    SCOPED_TRACE(static_cast<int>(how));
    std::vector<std::size_t> taken;
    std::size_t failed = slices;
    try {
      for (const std::size_t i : pool.with({.timeout = limited_call(1, 1).timeout})
                                     .imap(
                                         indices(slices),
                                         [](std::size_t i, const way& end) {
                                           if (i == 7) go_wrong(end);
                                           return i;
                                         },
                                         how)) {
        taken.push_back(i);
      }
    } catch (const forkful::slice_info& info) {
      failed = info.slice();
    }
    EXPECT_EQ(failed, 7U);
    EXPECT_EQ(taken, (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6}));
  }
}

}  // namespace
