// Reports of real calls whose sentences were wrong once: what they say, never how long a call took.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "backends/every_pool.hpp"
#include "support/hang.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace forkful;
using forkful_tests::isolated;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;
using forkful_tests::pools_of_processes;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

std::string all_of(const report& r) {
  std::string all = r.text();
  for (const std::string& warning : r.warnings) all += "\n" + warning;
  return all + "\n" + r.advice;
}

bool says(const std::string& text, const char* what) { return text.find(what) != std::string::npos; }

template <class Pool>
using report_sentences = on_every_pool<Pool>;
TYPED_TEST_SUITE(report_sentences, forkful_tests::every_pool, pool_names);

TYPED_TEST(report_sentences, do_not_ask_to_cut_a_submitted_call) {
  auto later = this->pool.submit([] {
    std::this_thread::sleep_for(milliseconds(2));
    return 1;
  });
  EXPECT_EQ(later.get(), 1);
  const report r = this->pool.report();
  const std::string all = all_of(r);
  for (const char* wrong : {"more slices", "serial_pool", "smaller chunks", "a loop would"}) {
    EXPECT_FALSE(says(all, wrong)) << all;
  }
  EXPECT_LE(r.away, r.caller.idle);
  EXPECT_LE(r.queued, r.wall);
}

TYPED_TEST(report_sentences, know_of_other_calls_on_the_pool) {
  (void)this->pool.map(indices(4), [](std::size_t i) { return i; });
  EXPECT_FALSE(this->pool.report().beside_others);
  auto first = this->pool.submit([] { return 1; });
  auto second = this->pool.submit([] { return 2; });
  (void)first.get();
  // Where the caller does the work, the calls are over when they are submitted; each call of a snapshot_pool has
  // workers of its own.
  const bool one_by_one = forkful_tests::alone<TypeParam>() || this->pool.report().way == "snapshot";
  EXPECT_EQ(this->pool.report().beside_others, !one_by_one);
  (void)second.get();
}

template <class Pool>
using sentences_of_processes = on_every_pool<Pool>;
TYPED_TEST_SUITE(sentences_of_processes, pools_of_processes, pool_names);

TYPED_TEST(sentences_of_processes, count_a_slice_that_hung_as_computing) {
  const auto ends = this->pool.with({.timeout = milliseconds(150)}).try_map(indices(4), [](std::size_t i) {
    if (i == 1) std::this_thread::sleep_for(std::chrono::hours(1));
    return i;
  });
  ASSERT_FALSE(ends[1]);
  EXPECT_FALSE(says(ends[1].failure().what, "try_map")) << ends[1].failure().what;
  const report r = this->pool.report();
  ASSERT_FALSE(r.slowest.empty());
  EXPECT_EQ(r.slowest[0].first, 1U);
  EXPECT_GE(r.slowest[0].time, milliseconds(150));
  EXPECT_GE(r.time().compute, milliseconds(150));
  EXPECT_EQ(r.time().sum(), r.wall * (r.workers + 1));
  EXPECT_FALSE(says(all_of(r), "a loop would")) << all_of(r);
  EXPECT_FALSE(says(all_of(r), "try_map names")) << all_of(r);
}

TYPED_TEST(sentences_of_processes, count_what_a_slice_computed_before_it_crashed) {
  const auto ends = this->pool.try_map(indices(2), [](std::size_t i) {
    if (i != 0) return i;
    const auto began = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - began < milliseconds(60)) {
    }
    std::abort();
  });
  EXPECT_FALSE(ends[0]);
  const report r = this->pool.report();
  EXPECT_GE(r.time().compute, milliseconds(59)) << "the parent looked on all the time";
  ASSERT_FALSE(r.slowest.empty());
  EXPECT_EQ(r.slowest[0].first, 0U);
}

// (The test's own name is in the sentence, as that of the function which crashed.)
TYPED_TEST(sentences_of_processes, call_a_submitted_call_what_it_is) {
  auto bad = this->pool.submit(
      [](int x) {
        if (x == 1) std::abort();
        return x;
      },
      1);
  try {
    (void)bad.get();
    FAIL();
  } catch (const worker_crashed& crashed) {
    const std::string what = crashed.what();
    EXPECT_TRUE(what.starts_with("the submitted call crashed worker ")) << what;
    EXPECT_FALSE(says(what, "slice")) << what;
    EXPECT_FALSE(says(what, "try_map")) << what;
  }
  EXPECT_FALSE(says(all_of(this->pool.report()), "try_map")) << all_of(this->pool.report());
}

TYPED_TEST(sentences_of_processes, recommend_what_there_is) {
  const auto fails = [](std::size_t i) -> std::size_t {
    if (i == 2) _exit(3);
    return i;
  };
  try {
    (void)this->pool.map(indices(4), fails);
    FAIL();
  } catch (const worker_crashed& crashed) {
    EXPECT_TRUE(says(crashed.what(), "try_map keeps the other results")) << crashed.what();
  }
  std::vector<std::size_t> data{0, 1, 2, 3};
  try {
    this->pool.update(data, [](std::size_t& i) {
      if (i == 2) _exit(3);
    });
    FAIL();
  } catch (const worker_crashed& crashed) {
    EXPECT_TRUE(says(crashed.what(), "try_update finishes the other slices")) << crashed.what();
  }
  try {
    this->pool.for_each(data, [](const std::size_t& i) {
      if (i == 2) _exit(3);
    });
    FAIL();
  } catch (const worker_crashed& crashed) {
    EXPECT_TRUE(says(crashed.what(), "try_for_each finishes the other slices")) << crashed.what();
    EXPECT_FALSE(says(crashed.what(), "half done")) << "nothing was changed: " << crashed.what();
  }
}

TEST(memory_of, shared_pages_counts_once) {
  if (forkful_tests::sanitized) GTEST_SKIP() << "a sanitizer takes more memory than the pages that are shared";
  process_pool pool{2U};
  constexpr std::size_t bytes = 64'000'000;
  shared_vector<char> cake(bytes, 'c');
  // Every worker reads all of it.
  const auto sums = pool.with({.chunk = 1})
                        .map(
                            indices(4),
                            [](std::size_t i, std::span<const char> all) {
                              std::size_t sum = i;
                              for (std::size_t at = 0; at < all.size(); at += 4096)
                                sum += static_cast<std::size_t>(all[at]);
                              std::this_thread::sleep_for(milliseconds(5));  // so that each worker runs some
                              return sum;
                            },
                            cake.span());
  EXPECT_EQ(sums.size(), 4U);
  const report r = pool.report();
  ASSERT_GE(r.per_worker.size(), 2U);
  EXPECT_GE(r.peak_memory, bytes);
  EXPECT_LT(r.peak_memory, 2 * bytes);
  for (const worker_row& row : r.per_worker) EXPECT_LE(row.peak_private, row.peak_memory);
}

}  // namespace
