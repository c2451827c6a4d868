// Where the time of a call went: every verb on every pool, checked against what the slices themselves saw.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "backends/every_pool.hpp"
#include "faults/killing.hpp"

namespace {

using namespace forkful;
using forkful_tests::every_pool;
using forkful_tests::isolated;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;
using forkful_tests::pools_of_processes;
using forkful_tests::ships;
using std::chrono::microseconds;
using std::chrono::nanoseconds;
using clock_type = std::chrono::steady_clock;

template <class Pool>
using report_times = on_every_pool<Pool>;
TYPED_TEST_SUITE(report_times, every_pool, pool_names);

// Works for so long by this thread's own clock, and returns how long that was.
std::uint64_t work_for(nanoseconds time) {
  const auto began = clock_type::now();
  nanoseconds took{};
  while (took < time) took = clock_type::now() - began;
  return static_cast<std::uint64_t>(took.count());
}

// The caller and every worker account for the wall, exactly.
void expect_adds_up(const report& r) {
  EXPECT_GT(r.wall.count(), 0);
  EXPECT_EQ(r.caller.sum(), r.wall);
  ASSERT_EQ(r.per_worker.size(), r.workers);
  std::size_t slices = 0;
  for (const worker_row& row : r.per_worker) {
    EXPECT_EQ(row.time.sum(), r.wall) << "worker " << row.worker;
    for (const nanoseconds part : {row.time.start, row.time.pass_in, row.time.wake, row.time.compute, row.time.idle,
                                   row.time.pass_out, row.time.reassemble}) {
      EXPECT_GE(part.count(), 0) << "worker " << row.worker;
    }
    slices += row.slices;
  }
  EXPECT_EQ(slices, r.slices);
  EXPECT_EQ(r.time().sum(), r.wall * (r.workers + 1));
  EXPECT_LE(r.slowest.size(), 5U);
  EXPECT_TRUE(std::is_sorted(r.slowest.begin(), r.slowest.end(),
                             [](const slow_slices& a, const slow_slices& b) { return a.time > b.time; }));
}

TYPED_TEST(report_times, add_up_for_every_verb) {
  TypeParam& here = this->pool;
  const std::vector<std::string> texts(50, std::string(100, 'x'));
  std::vector<std::pair<std::string, std::function<void()>>> verbs{
      {"map", [&] { (void)here.map(texts, [](const std::string& t) { return t + "_eaten"; }); }},
      {"try_map", [&] { (void)here.try_map(texts, [](const std::string& t) { return t.size(); }); }},
      {"map_into",
       [&] {
         shared_vector<std::size_t> out(50);
         here.map_into(out, indices(50), [](std::size_t i) { return i; });
       }},
      {"starmap",
       [&] {
         (void)here.starmap(std::vector<std::tuple<int, std::string>>(50, {1, "x"}),
                            [](int n, const std::string& t) { return t + std::to_string(n); });
       }},
      {"for_each",
       [&] {
         shared_vector<double> numbers(50, 1.0);
         here.for_each(numbers, [](double& x) { x += 1; });
       }},
      {"try_for_each", [&] { (void)here.try_for_each(texts, [](const std::string& t) { (void)t.size(); }); }},
      {"update",
       [&] {
         std::vector<std::string> changed(texts);
         here.update(changed, [](std::string& t) { t += "!"; });
       }},
      {"try_update",
       [&] {
         std::vector<std::string> changed(texts);
         (void)here.try_update(changed, [](std::string& t) { t += "!"; });
       }},
      {"imap",
       [&] {
         for (auto&& t : here.imap(texts, [](const std::string& s) { return s + "!"; })) (void)t;
       }},
      {"imap_unordered",
       [&] {
         for (auto&& t : here.imap_unordered(texts, [](const std::string& s) { return s + "!"; })) (void)t;
       }},
      {"transform_reduce",
       [&] {
         (void)here.transform_reduce(
             indices(50), std::size_t{0}, [](std::size_t a, std::size_t b) { return a + b; },
             [](std::size_t i) { return i; });
       }},
      {"submit",
       [&] {
         auto later = here.submit([](const std::string& t) { return t + "!"; }, std::string("x"));
         (void)later.get();
       }},
  };
  for (const auto& [name, call] : verbs) {
    SCOPED_TRACE(name);
    call();
    const report r = here.report();
    EXPECT_EQ(r.verb, name);
    EXPECT_EQ(r.way, forkful_tests::way_of<TypeParam>());
    EXPECT_EQ(r.slices, name == "submit" ? 1U : 50U);
    expect_adds_up(r);
    EXPECT_GT(r.time().compute.count(), 0);
    EXPECT_FALSE(r.slowest.empty());
  }
}

TYPED_TEST(report_times, know_how_long_slices_computed) {
  // Each returns how long it took by its own clock: the sum is what all workers computed, but for what it takes to call them.
  const auto took = this->pool.with({.chunk = 1}).map(indices(12), [](std::size_t i) {
    return work_for(i == 7 ? microseconds(20'000) : microseconds(3000));
  });
  const report r = this->pool.report();
  expect_adds_up(r);
  nanoseconds all{0};
  for (const std::uint64_t one : took) all += nanoseconds(one);
  EXPECT_GE(r.time().compute, all);
  EXPECT_GE(r.wall, nanoseconds(took[7]));
  ASSERT_FALSE(r.slowest.empty());
  // No slice can have taken less than it says; one whose process had to wait for a core took longer, and is rightly
  // first.
  for (const slow_slices& slow : r.slowest) {
    ASSERT_EQ(slow.count, 1U);
    ASSERT_LT(slow.first, took.size());
    EXPECT_GE(slow.time, nanoseconds(took[slow.first]));
    EXPECT_LT(slow.worker, this->pool.size());
  }
  EXPECT_TRUE(std::any_of(r.slowest.begin(), r.slowest.end(), [](const slow_slices& one) { return one.first == 7; }));
  // Nothing that a worker did can have taken longer than it was there.
  for (const worker_row& row : r.per_worker) EXPECT_LE(row.time.compute, r.wall);
}

TYPED_TEST(report_times, tell_one_slow_slice_from_many_in_its_chunk) {
  (void)this->pool.with({.chunk = 100}).map(indices(100), [](std::size_t i) {
    return i == 60 ? work_for(microseconds(20'000)) : i;
  });
  const report r = this->pool.report();
  ASSERT_FALSE(r.slowest.empty());
  const slow_slices& slow = r.slowest.front();
  EXPECT_GE(slow.time, microseconds(20'000));
  EXPECT_LE(slow.first, 60U);
  EXPECT_GT(slow.first + slow.count, 60U);
  EXPECT_LT(slow.count, 100U) << "not the whole chunk";
}

// Four numbers, each of which takes 5 ms to read.
struct slow_input {
  struct iterator {
    using value_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    std::size_t at = 0;
    std::size_t operator*() const {
      (void)work_for(microseconds(5000));
      return at;
    }
    iterator& operator++() {
      ++at;
      return *this;
    }
    void operator++(int) { ++at; }
    friend bool operator==(const iterator& one, std::default_sentinel_t /*end*/) { return one.at == 4; }
  };
  [[nodiscard]] iterator begin() const { return {}; }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }
};

TYPED_TEST(report_times, say_that_the_caller_read_its_input) {
  std::size_t sum = 0;
  for (const std::size_t one : this->pool.imap(slow_input{}, [](std::size_t i) { return i; })) sum += one;
  EXPECT_EQ(sum, 6U);
  const report r = this->pool.report();
  expect_adds_up(r);
  EXPECT_GE(r.caller.pass_in, microseconds(20'000));
}

TYPED_TEST(report_times, count_it_as_waiting_when_nobody_asks_for_the_next_result) {
  nanoseconds away{0};
  for (auto&& one : this->pool.imap(indices(4), [](std::size_t i) { return i; })) {
    (void)one;
    away += nanoseconds(work_for(microseconds(5000)));
  }
  const report r = this->pool.report();
  expect_adds_up(r);
  EXPECT_GE(r.caller.idle, away);
}

// A result that takes long to read, and a slice that takes long to read.
struct slow_to_read {
  std::uint64_t number = 0;
};

}  // namespace

template <>
struct forkful::codec<slow_to_read> {
  static void write(sink& out, const slow_to_read& value) { out.write(work_for(microseconds(3000)) + value.number); }
  static slow_to_read read(source& in) {
    work_for(microseconds(2000));
    return {in.read<std::uint64_t>()};
  }
};

namespace {

TYPED_TEST(report_times, tell_passing_from_computing) {
  if constexpr (ships<TypeParam>) {
    const std::vector<slow_to_read> input(3);
    (void)this->pool.with({.chunk = 1}).map(input, [](const slow_to_read& slice) { return slice; });
    const report r = this->pool.report();
    expect_adds_up(r);
    const time_split all = r.time();
    EXPECT_GE(r.caller.pass_in, microseconds(9000)) << "encoding three slices";
    EXPECT_GE(r.caller.reassemble, microseconds(6000)) << "decoding three results";
    EXPECT_GE(all.pass_in - r.caller.pass_in, microseconds(5990)) << "decoding three slices";
    EXPECT_GE(all.pass_out, microseconds(8990)) << "encoding three results";
    EXPECT_LT(all.compute, all.pass_out) << "which is all that was done";
  }
}

TYPED_TEST(report_times, count_broadcast_arguments_as_passing) {
  if constexpr (ships<TypeParam>) {
    (void)this->pool.with({.chunk = 3})
        .map(indices(3), [](std::size_t i, const slow_to_read& big) { return i + big.number; }, slow_to_read{});
    const report r = this->pool.report();
    expect_adds_up(r);
    EXPECT_GE(r.caller.pass_in, microseconds(3000));
    EXPECT_GE(r.time().pass_in - r.caller.pass_in, microseconds(1990));
    EXPECT_LT(r.slowest.at(0).time, microseconds(2000)) << "no slice is slow because it came first";
  }
}

template <class Pool>
using report_starts = on_every_pool<Pool>;
TYPED_TEST_SUITE(report_starts, pools_of_processes, pool_names);

TYPED_TEST(report_starts, are_part_of_the_call_that_needed_the_workers) {
  (void)this->pool.map(indices(100), [](std::size_t i) { return i; });
  (void)this->pool.map(indices(100), [](std::size_t i) { return i; });
  const report r = this->pool.report();
  const bool every_time = std::is_same_v<TypeParam, snapshot_pool>;
  EXPECT_EQ(r.caller.start.count() > 0, every_time);
  for (const worker_row& row : r.per_worker) EXPECT_EQ(row.time.start.count() > 0, every_time) << row.worker;
}

template <class Pool>
class timelines : public testing::Test {
 protected:
  Pool pool{pool_options{.workers = 2, .record_timeline = true}};
};
TYPED_TEST_SUITE(timelines, every_pool, pool_names);

TYPED_TEST(timelines, are_kept_only_when_asked_for) {
  TypeParam other(2U);
  (void)other.map(indices(10), [](std::size_t i) { return i; });
  const report without = other.report();
  EXPECT_FALSE(without.has_timeline);
  EXPECT_TRUE(without.recorded.chunks.empty());
  EXPECT_TRUE(without.recorded.caller.empty());
  (void)this->pool.map(indices(10), [](std::size_t i) { return i; });
  EXPECT_TRUE(this->pool.report().has_timeline);
  EXPECT_NE(this->pool.report().pool, without.pool);
  EXPECT_GT(this->pool.report().call, without.call);
}

TYPED_TEST(timelines, hold_every_chunk_and_what_the_caller_did) {
  (void)this->pool.with({.chunk = 3}).map(indices(30), [](std::size_t /*i*/) { return work_for(microseconds(200)); });
  const report r = this->pool.report();
  expect_adds_up(r);
  const timeline& all = r.recorded;
  EXPECT_FALSE(all.thinned);
  EXPECT_EQ(all.chunks.size(), r.chunks);
  std::vector<bool> seen(30);
  nanoseconds computed{0};
  for (std::size_t i = 0; i < all.chunks.size(); ++i) {
    const timeline_chunk& one = all.chunks[i];
    ASSERT_LT(one.worker, r.workers);
    EXPECT_LE(nanoseconds(0), one.begin);
    EXPECT_LE(one.begin, one.end);
    EXPECT_LE(one.end, r.wall);
    EXPECT_EQ(one.merged, 1U);
    computed += one.end - one.begin - one.pass_in - one.pass_out;
    for (std::size_t slice = one.first; slice < one.first + one.count; ++slice) {
      ASSERT_LT(slice, 30U);
      EXPECT_FALSE(seen[slice]);
      seen[slice] = true;
    }
    if (i != 0 && all.chunks[i - 1].worker == one.worker) {
      EXPECT_LE(all.chunks[i - 1].end, one.begin);
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 30);
  EXPECT_GE(computed, microseconds(30 * 200));
  ASSERT_FALSE(all.caller.empty());
  EXPECT_EQ(all.caller.front().begin, nanoseconds(0));
  EXPECT_EQ(all.caller.back().end, r.wall);
  time_split drawn;
  for (std::size_t i = 0; i < all.caller.size(); ++i) {
    const timeline_step& one = all.caller[i];
    if (i != 0) {
      EXPECT_EQ(one.begin, all.caller[i - 1].end);
    }
    if (one.what == timeline_step::kind::idle) drawn.idle += one.end - one.begin;
  }
  EXPECT_EQ(drawn.idle, r.caller.idle);
}

TYPED_TEST(timelines, name_what_failed) {
  (void)this->pool.try_map(indices(10), [](std::size_t i) {
    if (i == 4) throw std::out_of_range("no such cake");
    return i;
  });
  const report r = this->pool.report();
  const auto failed = std::find_if(r.recorded.events.begin(), r.recorded.events.end(), [](const timeline_event& one) {
    return one.what == timeline_event::kind::slice_failed;
  });
  ASSERT_NE(failed, r.recorded.events.end());
  EXPECT_EQ(failed->slice, 4U);
  EXPECT_EQ(failed->text, "std::out_of_range: no such cake");
  EXPECT_LE(failed->at, r.wall);
}

TYPED_TEST(timelines, name_who_died) {
  if constexpr (isolated<TypeParam>) {
    (void)this->pool.with({.chunk = 1}).try_map(indices(6), [](std::size_t i) {
      if (i == 2) _exit(3);
      return i;
    });
    const report r = this->pool.report();
    EXPECT_EQ(r.deaths, 1U);
    const auto died = std::find_if(r.recorded.events.begin(), r.recorded.events.end(), [](const timeline_event& one) {
      return one.what == timeline_event::kind::worker_died;
    });
    ASSERT_NE(died, r.recorded.events.end());
    EXPECT_EQ(died->slice, 2U);
    EXPECT_EQ(died->text, "exit status 3");
    EXPECT_EQ(r.per_worker.at(died->worker).deaths, 1U);
  }
}

// Memory of the caller's that workers see as it was when they were forked.
std::vector<char>& cake() {
  static std::vector<char> whole(8'000'000, 'c');
  return whole;
}

TEST(memory_of, snapshot_workers_that_write_to_the_callers_memory_is_copied_and_counted) {
  if (forkful_tests::sanitized)
    GTEST_SKIP() << "a sanitizer's own memory takes longer to look at than this call is worth";
  snapshot_pool pool(pool_options{.workers = 1, .record_timeline = true});
  cake();
  const auto run_slice = [](std::size_t bites) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < cake().size(); i += 4096) sum += static_cast<std::size_t>(cake()[i]);
    for (std::size_t i = 0; i < bites; ++i) cake()[i] = 'e';
    return sum + work_for(microseconds(20'000));
  };
  (void)pool.map(std::vector<std::size_t>{0}, run_slice);
  const report reading = pool.report();
  EXPECT_LT(reading.bytes_copied_on_write, 2'000'000U);
  (void)pool.map(std::vector<std::size_t>{8'000'000}, run_slice);
  const report writing = pool.report();
  EXPECT_GE(writing.bytes_copied_on_write, reading.bytes_copied_on_write / 2 + 7'000'000U);
  EXPECT_LT(writing.bytes_copied_on_write, 12'000'000U);
  EXPECT_EQ(writing.per_worker.at(0).bytes_copied_on_write, writing.bytes_copied_on_write);
  EXPECT_GE(writing.page_faults, 8'000'000U / 4096 / 16) << "fewer only with larger pages";
  EXPECT_GT(writing.page_faults, reading.page_faults);
  EXPECT_GE(writing.peak_memory, 16'000'000U) << "the caller's and the worker's";
  EXPECT_EQ(cake()[0], 'c');
}

TEST(memory_of, calls_in_shared_memory_is_counted_there) {
  process_pool pool{2U};
  (void)pool.map(indices(3), [](std::size_t i) { return i; });
  const std::size_t before = pool.report().arena_bytes;
  shared_vector<double> numbers(1'000'000, 1.0);
  pool.for_each(numbers, [](double& x) { x += 1; });
  const report r = pool.report();
  EXPECT_EQ(r.bytes_shared, 8'000'000U);
  EXPECT_EQ(r.bytes_in + r.bytes_out, 0U);
  EXPECT_GE(r.arena_bytes, before + 8'000'000U);
  (void)pool.map(indices(3), [](std::size_t i, std::span<const double> all) { return all[i]; }, numbers.span());
  EXPECT_EQ(pool.report().bytes_shared, 8'000'000U);
  (void)pool.map(indices(3), [](std::size_t) { return shared_vector<double>(1000, 2.0); });
  EXPECT_EQ(pool.report().bytes_shared, 24'000U) << "results that came without a copy";
}

}  // namespace
