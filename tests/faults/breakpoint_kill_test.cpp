// Workers killed at every breakpoint, at its first, second, ... passage, under every verb: docs/protocol.md, 1-3, 5-9, 11.
//
// Where all attempts may be had, results equal the serial loop's. Where each slice has one attempt, everything but the named
// slices equals it. A worker that holds no slice dies for free.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <forkful/forkful.hpp>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "faults/killing.hpp"
#include "os/cpu.hpp"

namespace {

using forkful::process_pool;
using forkful::shared_string;
using forkful::shared_vector;
using forkful::snapshot_pool;
using namespace forkful_tests;

constexpr std::size_t slices = 30;
constexpr unsigned most_passes = sanitized ? 4 : 14;
const forkful::call_options all_attempts{.chunk = 3, .attempts = 3};
const forkful::call_options one_attempt{.chunk = 3};

// Too long for the string object itself, and of different size classes.
std::string slice_text(std::size_t i) { return std::string(20 + 37 * i, static_cast<char>('a' + i % 26)); }

std::vector<std::string> texts() {
  std::vector<std::string> made;
  for (std::size_t i = 0; i < slices; ++i) made.push_back(slice_text(i));
  return made;
}

std::string run_slice(const std::string& slice) { return slice + "_eaten"; }

std::vector<std::string> serially_run() {
  std::vector<std::string> finished = texts();
  for (std::string& slice : finished) slice = run_slice(slice);
  return finished;
}

// What a call cost: slices that were named as failed.
using cost = std::vector<std::size_t>;

template <class Outcome>
cost failed_in(const std::vector<Outcome>& outcomes) {
  cost named;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i]) continue;
    named.push_back(i);
    EXPECT_EQ(outcomes[i].failure().slice, i);
    EXPECT_EQ(outcomes[i].failure().kind, forkful::failure_kind::crash);
    EXPECT_EQ(outcomes[i].failure().signal, SIGKILL);
  }
  return named;
}

// ---- What runs while workers are killed: each makes its pool, checks the results, and returns what it cost ----

cost map_with_attempts() {
  process_pool pool{2};
  EXPECT_EQ(pool.with(all_attempts).map(texts(), run_slice), serially_run());
  return {};
}

cost try_map_once() {
  process_pool pool{2};
  const auto outcomes = pool.with(one_attempt).try_map(texts(), run_slice);
  EXPECT_EQ(outcomes.size(), slices);
  const auto expected = serially_run();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i]) {
      EXPECT_EQ(outcomes[i].value(), expected[i]) << i;
    }
  }
  return failed_in(outcomes);
}

// Short slices: blocks of several, numbers instead of strings, results in one array.
cost try_map_numbers() {
  process_pool pool{2};
  const auto outcomes = pool.with({.chunk = 100}).try_map(forkful::indices(1000), [](std::size_t i) { return 3 * i; });
  EXPECT_EQ(outcomes.size(), 1000U);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i]) {
      EXPECT_EQ(outcomes[i].value(), 3 * i);
    }
  }
  return failed_in(outcomes);
}

cost update_with_attempts() {
  process_pool pool{2};
  auto cake = texts();
  pool.with(all_attempts).update(cake, [](std::string& slice) { slice += "_eaten"; });
  EXPECT_EQ(cake, serially_run());
  return {};
}

cost try_update_once() {
  process_pool pool{2};
  auto cake = texts();
  const auto outcomes = pool.with(one_attempt).try_update(cake, [](std::string& slice) { slice += "_eaten"; });
  const auto expected = serially_run();
  for (std::size_t i = 0; i < slices; ++i) EXPECT_EQ(cake[i], outcomes[i] ? expected[i] : slice_text(i)) << i;
  return failed_in(outcomes);
}

cost numbers_in_place() {
  shared_vector<double> table(1000, 2.0);
  process_pool pool{2};
  const auto outcomes = pool.with({.chunk = 100}).try_for_each(table, [](double& x) { x *= 3; });
  const cost named = failed_in(outcomes);
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (outcomes[i]) {
      EXPECT_EQ(table[i], 6.0) << i;
    }
    if (!outcomes[i]) {
      EXPECT_TRUE(table[i] == 6.0 || table[i] == 2.0) << i << ": " << table[i];
    }
  }
  // After a death a block is named: slices side by side.
  cost blocks;
  for (const std::size_t i : named) {
    if (i == 0 || outcomes[i - 1]) blocks.push_back(i);
  }
  EXPECT_LE(named.size(), 256 * blocks.size()) << "more than a block is named";
  return blocks;
}

cost numbers_in_place_with_attempts() {
  shared_vector<double> table(1000);
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<double>(i);
  process_pool pool{2};
  pool.with({.chunk = 100, .attempts = 3}).for_each(table, [](double& x) { x = 3 * x + 1; });
  for (std::size_t i = 0; i < table.size(); ++i) EXPECT_EQ(table[i], static_cast<double>(3 * i + 1)) << i;
  return {};
}

// The strings grow, so workers allocate in shared memory and free what the parent allocated.
cost strings_in_place() {
  const auto before = texts();
  shared_vector<shared_string> table(before.begin(), before.end());
  const auto outcomes =
      process_pool{2}.with(one_attempt).try_for_each(table, [](shared_string& slice) { slice += "_eaten"; });
  auto expected = serially_run();
  for (std::size_t i = 0; i < slices; ++i) {
    if (outcomes[i]) {
      EXPECT_EQ(std::string_view(table[i]), expected[i]) << i;
    } else {
      // Half run: what it pointed to may be freed, so it is made anew where it lies.
      new (&table[i]) shared_string(expected[i]);
    }
  }
  // The heaps, which the next workers adopt, are whole: another round, in other size classes.
  killer::spare_new_workers();
  process_pool{2}.for_each(table, [](shared_string& slice) { slice.append(100, '!'); });
  for (std::size_t i = 0; i < slices; ++i) {
    EXPECT_EQ(std::string_view(table[i]), expected[i].append(100, '!')) << i;
  }
  return failed_in(outcomes);
}

// In place over ordinary memory: the slices are encoded, and the rest of a chunk must still find its own slices.
cost read_in_place() {
  shared_vector<unsigned> finished(slices, 0U);
  process_pool pool{2};
  std::vector<std::string> cake;
  for (std::size_t i = 0; i < slices; ++i) cake.push_back(std::to_string(i));
  const auto outcomes =
      pool.with(one_attempt)
          .try_for_each(
              cake, [](const std::string& slice, const shared_vector<unsigned>& count) { ++count[std::stoul(slice)]; },
              finished);
  for (std::size_t i = 0; i < slices; ++i) {
    if (outcomes[i]) {
      EXPECT_EQ(finished[i], 1U) << i;
    }
    if (!outcomes[i]) {
      EXPECT_LE(finished[i], 1U) << i;
    }
  }
  return failed_in(outcomes);
}

cost map_into_with_attempts() {
  shared_vector<std::size_t> out(slices);
  process_pool pool{2};
  pool.with(all_attempts).map_into(out, texts(), [](const std::string& slice) { return slice.size(); });
  for (std::size_t i = 0; i < slices; ++i) EXPECT_EQ(out[i], slice_text(i).size());
  return {};
}

// Results that change hands: large enough that each is a run of spans of its own.
cost map_to_shared_vectors() {
  process_pool pool{2};
  const auto tables = pool.with({.chunk = 2, .attempts = 3}).map(forkful::indices(8), [](std::size_t i) {
    shared_vector<double> table(20'000 + 1000 * i, static_cast<double>(i));
    return table;
  });
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(tables[i].size(), 20'000 + 1000 * i);
    EXPECT_EQ(std::count(tables[i].begin(), tables[i].end(), static_cast<double>(i)),
              static_cast<std::ptrdiff_t>(tables[i].size()));
  }
  return {};
}

cost snapshot_map() {
  snapshot_pool pool{2};
  const auto cake = texts();
  const std::string ending = "_eaten";
  EXPECT_EQ(pool.with(all_attempts).map(forkful::indices(slices), [&](std::size_t i) { return cake[i] + ending; }),
            serially_run());
  return {};
}

struct workload {
  const char* name;
  cost (*run)();
};
constexpr workload workloads[] = {{"map, 3 attempts", map_with_attempts},
                                  {"try_map, 1 attempt", try_map_once},
                                  {"try_map of numbers", try_map_numbers},
                                  {"update, 3 attempts", update_with_attempts},
                                  {"try_update, 1 attempt", try_update_once},
                                  {"numbers in place", numbers_in_place},
                                  {"numbers in place, 3 attempts", numbers_in_place_with_attempts},
                                  {"strings in place", strings_in_place},
                                  {"read in place", read_in_place},
                                  {"map_into, 3 attempts", map_into_with_attempts},
                                  {"map to shared vectors", map_to_shared_vectors},
                                  {"snapshot map", snapshot_map}};

struct target {
  point where;
  bool may_hold_slice;
  unsigned least_kills;  // over all workloads
};
void PrintTo(const target& aim, std::ostream* out) { *out << name_of(aim.where); }

class killed_at : public testing::TestWithParam<target> {};

TEST_P(killed_at, every_passage_costs_at_most_the_slice_in_hand) {
  const watchdog bites;
  const target aim = GetParam();
  unsigned kills = 0;
  unsigned runs = 0;
  std::size_t named = 0;
  for (const workload& work : workloads) {
    for (unsigned pass = 1; pass <= most_passes; ++pass) {
      SCOPED_TRACE(testing::Message() << work.name << ", passage " << pass << " of " << name_of(aim.where));
      const killer now(aim.where, pass);
      const cost paid = work.run();
      ++runs;
      kills += now.kills();
      named += paid.size();
      ASSERT_LE(now.kills(), 1U);
      ASSERT_LE(paid.size(), aim.may_hold_slice ? now.kills() : 0U);
      if (HasFailure() || now.kills() == 0) break;
    }
    if (HasFailure()) break;
  }
  std::cout << name_of(aim.where) << ": " << kills << " kills in " << runs << " runs, " << named << " slices lost\n";
  EXPECT_GE(kills, times(aim.least_kills));
}

INSTANTIATE_TEST_SUITE_P(faults, killed_at,
                         testing::Values(target{point::claim_before, false, 80}, target{point::claim_after, false, 80},
                                         target{point::slice_begin, true, 100}, target{point::slice_end, true, 100},
                                         target{point::done_before, true, 80}, target{point::done_after, false, 80},
                                         target{point::spin, false, 0}, target{point::sleep_before, false, 0},
                                         target{point::alloc_before, true, 20}, target{point::alloc_after, true, 50},
                                         target{point::free_before, true, 10}, target{point::free_linked, true, 10},
                                         target{point::span_claimed, true, 6}, target{point::fork_child, false, 12},
                                         target{point::lifeline_armed, false, 12}, target{point::undo_saved, false, 5}),
                         [](const auto& which) { return std::string(name_of(which.param.where)); });

// Results of which every tenth is lost: the slice throws, or its result does when a part of it is written.
bool comes_to_nothing(std::size_t i) { return i % 10 == 5; }

std::size_t length_or_throw(const std::string& slice) {
  const std::size_t i = slice.size();
  if (comes_to_nothing(i)) throw std::runtime_error("no length");
  return 3 * i;
}

struct half_written {
  std::size_t length = 0;
};

half_written half_written_length(const std::string& slice) { return {3 * slice.size()}; }

template <class Run>
void rest_is_whole(Run run_slice) {
  std::vector<std::string> cake;
  for (std::size_t i = 0; i < 40; ++i) cake.emplace_back(i, 'x');
  for (unsigned pass = 1; pass <= 4; ++pass) {
    SCOPED_TRACE(testing::Message() << "passage " << pass);
    const killer now(point::broken_off, pass);
    process_pool pool{1};
    const auto outcomes = pool.with({.chunk = 10}).try_map(cake, run_slice);
    EXPECT_EQ(now.kills(), 1U);
    ASSERT_EQ(outcomes.size(), 40U);
    unsigned crashed = 0;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      ASSERT_EQ(outcomes[i].has_value(), !comes_to_nothing(i)) << i << ": " << outcomes[i].failure().what;
      if (!outcomes[i]) {
        crashed += outcomes[i].failure().kind == forkful::failure_kind::crash ? 1 : 0;
      } else if constexpr (std::is_same_v<decltype(run_slice(cake[0])), half_written>) {
        EXPECT_EQ(outcomes[i]->length, 3 * i);
      } else {
        EXPECT_EQ(*outcomes[i], 3 * i);
      }
    }
    EXPECT_EQ(crashed, 1U);
  }
}

}  // namespace

template <>
struct forkful::codec<half_written> {
  static void write(sink& out, const half_written& value) {
    out.write(std::string(400, 'x'));
    if (comes_to_nothing(value.length / 3)) throw std::runtime_error("no length");
    out.write(value.length);
  }
  static half_written read(source& in) {
    in.skip<std::string>();
    return {in.read<std::size_t>()};
  }
};

namespace {

TEST(killed_where_a_slice_broke_off, what_ran_before_it_is_whole) {
  const watchdog bites;
  rest_is_whole(length_or_throw);
}

TEST(killed_where_a_slice_broke_off, what_was_written_before_it_is_whole) {
  const watchdog bites;
  rest_is_whole(half_written_length);
}

// While no call is under way: calls with pauses between, long enough for workers to spin and fall asleep, until a
// worker has died there. The next calls are whole, and one of them sees the death.
TEST(killed_while_idle, spinning_or_on_the_way_to_sleep_costs_nothing) {
  const watchdog bites;
  const auto expected = serially_run();
  for (const point where : {point::spin, point::sleep_before}) {
    if (where == point::spin && forkful::detail::usable_cpus() == 1) continue;  // then no worker spins
    unsigned kills = 0;
    std::size_t deaths = 0;
    for (unsigned pass = 1; pass <= times(50); ++pass) {
      SCOPED_TRACE(testing::Message() << name_of(where) << ", passage " << pass);
      const killer now(where, pass);
      process_pool pool{2};
      std::size_t seen = 0;
      while (now.kills() == 0 || seen == 0) {
        usleep(100);
        ASSERT_EQ(pool.with(one_attempt).map(texts(), run_slice), expected);
        seen += pool.report().deaths;
        // Long enough for the caller that it sleeps, and sees which worker has ended.
        pool.for_each(forkful::indices(2), [](std::size_t) { usleep(300); });
        seen += pool.report().deaths;
      }
      kills += now.kills();
      deaths += seen;
    }
    EXPECT_EQ(kills, times(50));
    EXPECT_EQ(deaths, times(50));
    std::cout << name_of(where) << ": " << kills << " idle workers killed, " << deaths << " deaths seen" << std::endl;
  }
}

// In the parent: it has judged one worker dead and not yet published its chunk again, when the others die too.
std::atomic<unsigned> parents_passes{0};
unsigned killed_beside = 0;
pid_t parent = 0;

TEST(killed_at_replacement, the_other_workers_cost_at_most_their_slices) {
  const watchdog bites;
  unsigned runs = 0;
  unsigned hits = 0;
  killed_beside = 0;
  for (const workload& work : workloads) {
    for (unsigned pass = 1; pass <= 4; ++pass) {
      SCOPED_TRACE(testing::Message() << work.name << ", passage " << 2 * pass);
      const killer one(point::slice_begin, 2 * pass);
      parents_passes = 0;
      parent = getpid();
      static forkful::detail::breakpoint_hook workers_hook = nullptr;
      workers_hook = forkful::detail::breakpoint_installed;
      forkful::detail::breakpoint_installed = [](point where) {
        if (getpid() != parent) return workers_hook(where);
        if (where != point::replace_before || ++parents_passes != 1) return;
        for (const pid_t worker : children_of(parent)) killed_beside += kill(worker, SIGKILL) == 0 ? 1 : 0;
      };
      const cost paid = work.run();
      ++runs;
      hits += parents_passes.load() >= 1 ? 1 : 0;
      ASSERT_LE(paid.size(), one.kills() + 1) << "slices lost: one a death that held one";
      ASSERT_FALSE(HasFailure());
    }
  }
  std::cout << "replace_before: " << hits << " times in " << runs << " runs, " << killed_beside
            << " workers killed there" << std::endl;
  EXPECT_GE(hits, 24U);
  EXPECT_GE(killed_beside, 20U);
}

}  // namespace
