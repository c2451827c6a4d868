// The k-th allocation of the caller fails, in every verb, k = 1, 2, ... until a run passes untouched; once, and from then on. Each
// run ends with the right results or an error, and the very same pool runs on; nothing is left behind. (Runs on a pool of
// their own: refused_calls_test.cpp.)
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <exception>
#include <forkful/forkful.hpp>
#include <iostream>
#include <new>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "faults/killing.hpp"
#include "system_calls/failing.hpp"

namespace {

using namespace forkful;
using namespace forkful_tests;

// ---- The verbs: true if the results are right ----

std::string finished(std::size_t i) { return std::string(100, 'c') + std::to_string(i); }

template <class Pool>
bool mapped(Pool& pool) {
  const auto results = pool.with({.chunk = 2}).map(indices(8), finished);
  bool right = results.size() == 8;
  for (std::size_t i = 0; right && i != 8; ++i) right = results[i] == finished(i);
  return right;
}

template <class Pool>
bool run_in_place(Pool& pool) {
  shared_vector<int> cake(100, 1);
  pool.for_each(cake, [](int& slice) { ++slice; });
  return std::accumulate(cake.begin(), cake.end(), 0) == 200;
}

template <class Pool>
bool updated(Pool& pool) {
  std::vector<std::string> cake(6, std::string(50, 'c'));
  pool.update(cake, [](std::string& slice) { slice += "!"; });
  return cake == std::vector<std::string>(6, std::string(50, 'c') + "!");
}

template <class Pool>
bool walked(Pool& pool) {
  std::size_t at = 0;
  for (const std::string& result : pool.with({.chunk = 2, .window = 8}).imap(indices(20), finished)) {
    if (result != finished(at++)) return false;
  }
  return at == 20;
}

template <class Pool>
bool submitted(Pool& pool) {
  std::vector<future<std::string>> futures;
  for (std::size_t i = 0; i != 4; ++i) futures.push_back(pool.submit(finished, i));
  for (std::size_t i = 0; i != 4; ++i) {
    if (futures[i].get() != finished(i)) return false;
  }
  return true;
}

template <class Pool>
bool reduced(Pool& pool) {
  return pool.with({.chunk = 16})
             .transform_reduce(
                 indices(64), std::string(), [](std::string a, const std::string& b) { return std::move(a) + b; },
                 [](std::size_t i) { return std::string(1, static_cast<char>('0' + i % 10)); }) ==
         "0123456789012345678901234567890123456789012345678901234567890123";
}

// A slice throws, another ends its worker, which is replaced.
template <class Pool>
bool failed(Pool& pool) {
  const auto outcomes = pool.with({.chunk = 2}).try_map(indices(8), [](std::size_t i) {
    if (i == 2) throw std::range_error("two");
    if (i == 5) raise(SIGKILL);
    return finished(i);
  });
  bool right = outcomes.size() == 8;
  for (std::size_t i = 0; right && i != 8; ++i) {
    // For want of memory a slice may also fail in another way than its own.
    right = outcomes[i] ? i != 2 && i != 5 && outcomes[i].value() == finished(i) : outcomes[i].failure().slice == i;
  }
  return right;
}

template <class Pool>
bool started_anew(Pool& pool) {
  pool.restart();
  return mapped(pool);
}

template <class Pool>
bool another_pool(Pool& /*not that one*/) {
  Pool pool(2U);
  return mapped(pool);
}

// ---- Failing ----

struct tally {
  unsigned runs = 0;
  unsigned errors = 0;
};

// What went wrong; empty: nothing.
template <class Pool>
std::string one_run(Pool& pool, bool (*verb)(Pool&), failure_plan& plan, tally& count) {
  std::string trouble;
  bool right = false;
  plan.passes = plan.failures = 0;
  plan.armed = true;
  try {
    right = verb(pool);
    plan.armed = false;
    if (!right) trouble = "wrong results";
  } catch (const std::bad_alloc&) {
    plan.armed = false;
    ++count.errors;
  } catch (const forkful::error&) {
    plan.armed = false;
    ++count.errors;
  } catch (const std::exception& error) {
    plan.armed = false;
    trouble = error.what();
  }
  ++count.runs;
  if (trouble.empty() && plan.failures == 0 && !right) trouble = "an error though nothing failed";
  try {
    try {
      if (!mapped(pool)) trouble += "; wrong results afterwards";
    } catch (const pool_closed&) {  // restart() failed, and has to be called again
      if (verb != started_anew<Pool>) throw;
      pool.restart();
    }
    if (!mapped(pool)) trouble += "; wrong results afterwards";
  } catch (const std::exception& error) {
    trouble += std::string("; afterwards: ") + error.what();
  }
  return trouble;
}

template <class Pool>
void each_allocation_fails(const char* name, bool (*verb)(Pool&)) {
  const watchdog bites;
  const seen_by_all<failure_plan> shared;
  failure_plan& plan = *shared;
  the_plan = &plan;
  plan.which = call::allocate;
  plan.error = ENOMEM;
  plan.parent = getpid();
  plan.pass = ~0U;
  tally count;
  const auto on_a_thread_of_its_own = [](auto body) {
    std::thread(body).join();
  };  // which stores reports while it lives
  on_a_thread_of_its_own([&] {
    Pool pool(2U);
    EXPECT_EQ(one_run(pool, verb, plan, count), "");  // what is made once is made now
  });
  const long blocks = blocks_in_use();
  const std::size_t descriptors = open_descriptors();
  on_a_thread_of_its_own([&] {
    Pool pool(2U);
    for (const bool for_good : {false, true}) {
      plan.for_good = for_good;
      for (plan.pass = 1; !testing::Test::HasFailure(); plan.pass += sanitized ? 7 : 1) {
        const std::string trouble = one_run(pool, verb, plan, count);
        EXPECT_EQ(trouble, "") << name << ", allocation " << plan.pass << (for_good ? " and all later ones" : "");
        if (plan.failures == 0) break;
      }
    }
  });
  the_plan = nullptr;
  std::cout << name << ": " << count.runs << " runs, " << count.errors << " errors" << std::endl;
  EXPECT_LE(blocks_in_use(), blocks) << name;
  EXPECT_EQ(open_descriptors(), descriptors) << name;
  EXPECT_TRUE(children_of(getpid()).empty()) << name;
  EXPECT_GT(count.errors, 2U) << name << ": nothing failed, so the test tests nothing";
}

template <class Pool>
void each_allocation_of_each_verb_fails() {
  each_allocation_fails<Pool>("map", mapped);
  each_allocation_fails<Pool>("for_each", run_in_place);
  each_allocation_fails<Pool>("update", updated);
  each_allocation_fails<Pool>("imap", walked);
  each_allocation_fails<Pool>("submit", submitted);
  each_allocation_fails<Pool>("transform_reduce", reduced);
  each_allocation_fails<Pool>("try_map and a death", failed);
  each_allocation_fails<Pool>("restart", started_anew);
  each_allocation_fails<Pool>("another pool", another_pool);
}

TEST(refused_memory, in_every_verb_of_a_process_pool_leaves_the_pool_whole) {
  each_allocation_of_each_verb_fails<process_pool>();
}
TEST(refused_memory, in_every_verb_of_a_snapshot_pool_leaves_the_pool_whole) {
  each_allocation_of_each_verb_fails<snapshot_pool>();
}

// Two workers' first chunk is slices 0 to 9 then.
constexpr std::size_t slices = 2560;
constexpr std::size_t first_chunk = 10;
const seen_by_all<std::array<std::atomic<bool>, slices>> begun;

// The first one waits for its neighbours, which come to another worker by relief only (docs/protocol.md, 20), and meanwhile the caller has
// no memory for that, once.
std::size_t run_slice(std::size_t slice) {
  (*begun)[slice] = true;
  if (slice == 0) {
    const auto wait_for = [](std::size_t from, std::size_t to) {
      for (std::size_t other = from; other != to; ++other) {
        while (!(*begun)[other]) std::this_thread::yield();
      }
    };
    wait_for(first_chunk, slices);
    the_plan->armed = true;
    wait_for(1, first_chunk);
  }
  return 3 * slice;
}

TEST(refused_memory, for_relief_ends_no_call) {
  const watchdog bites;
  const seen_by_all<failure_plan> shared;
  failure_plan& plan = *shared;
  struct without_plan {
    ~without_plan() { the_plan = nullptr; }
  } const afterwards;
  the_plan = &plan;
  plan.which = call::allocate;
  plan.error = ENOMEM;
  plan.parent = getpid();
  plan.pass = 1;
  process_pool pool{2U};
  // Should the neighbours have gone before, because all of it takes long, there is nothing that could fail.
  while (plan.failures == 0) {
    for (std::atomic<bool>& each : *begun) each = false;
    const auto results = pool.map(indices(slices), run_slice);
    plan.armed = false;
    for (std::size_t i = 0; i != slices; ++i) ASSERT_EQ(results[i], 3 * i);
    ASSERT_EQ(pool.report().retries, 0U);
  }
}

}  // namespace
