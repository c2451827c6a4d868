// advise(): what it promises about the work it looks at, whatever its advice is.
#include <time.h>

#include <chrono>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "advice/machine.hpp"
#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using namespace std::chrono_literals;

const expected_time& way_of(const advice& told, std::string_view name) {
  for (const expected_time& one : told.ways) {
    if (one.way == name) return one;
  }
  throw std::logic_error("no such way");
}

TEST(advise, tells_of_every_way) {
  const std::vector<std::string> cake(50, std::string(1000, 'c'));
  const advice told = forkful::advise(cake, [](const std::string& slice) { return slice + "_eaten"; });
  EXPECT_EQ(told.slices, 50U);
  EXPECT_GT(told.slice, 0ns);
  ASSERT_EQ(told.ways.size(), 4U);
  EXPECT_EQ(told.ways.front().way, "serial");
  for (const expected_time& one : told.ways) {
    EXPECT_TRUE(one.possible) << one.way;
    EXPECT_GT(one.time, 0ns) << one.way;
    EXPECT_LE(one.low, one.time) << one.way;
    EXPECT_GE(one.high, one.time) << one.way;
  }
  EXPECT_EQ(way_of(told, "thread").bytes_copied, 0U);
  EXPECT_GE(way_of(told, "process").bytes_copied, 50U * 2000) << "there and back";
  EXPECT_GE(way_of(told, "snapshot").bytes_copied, 50U * 1000) << "back";
  EXPECT_LT(way_of(told, "snapshot").bytes_copied, 50U * 1100);
  EXPECT_FALSE(told.verdict.empty());
  const auto json = nlohmann::json::parse(told.json());
  EXPECT_EQ(json.at("ways").size(), 4U);
}

// Seconds of a core, and not of a clock: on a busy machine it takes longer.
void compute_for(std::chrono::nanoseconds time) {
  const auto now = [] {
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
  };
  for (const auto end = now() + time; now() < end;) {
  }
}

// Slices so long that one is all that it looks at.
TEST(advise, recognises_long_slices_that_are_parallel_already) {
  if (detail::cpus_to_use() < 2) GTEST_SKIP() << "one CPU";
  const auto in_two_threads = [](std::size_t) {
    std::jthread helper([] { compute_for(40ms); });
    compute_for(40ms);
  };
  advice told;
  // Whether the two run at the same time is the scheduler's choice.
  for (int attempt = 0; !told.already_parallel && attempt < 50; ++attempt)
    told = forkful::advise(forkful::indices(4), in_two_threads);
  EXPECT_TRUE(told.already_parallel) << told.text();
  EXPECT_FALSE(told.parallel) << told.text();
  EXPECT_FALSE(forkful::advise(forkful::indices(4), [](std::size_t) { compute_for(40ms); }).already_parallel);
}

// For programs around forkful, which ask by hand (detail/job.hpp).
TEST(advise, takes_a_word_for_what_cannot_be_done) {
  detail::job here;
  here.slices = 40;
  here.run = [](const void* /*plan*/, detail::chunk_io& /*io*/, std::size_t /*first*/, std::size_t last) {
    return last;
  };
  here.make_results = [](std::size_t /*slices*/) -> void* { return nullptr; };
  here.drop_results = [](void* /*none*/) {};
  detail::question asked;
  asked.slices = here.slices;
  asked.here = &here;
  asked.workers = 1;
  asked.no_thread = "the interpreter lets threads take turns";
  asked.no_process = "its items cannot be sent";
  const advice told = detail::answer(asked);
  EXPECT_FALSE(way_of(told, "thread").possible);
  EXPECT_EQ(way_of(told, "thread").why_not, "the interpreter lets threads take turns");
  EXPECT_EQ(way_of(told, "process").why_not, "its items cannot be sent");
  for (const expected_time& one : told.ways) EXPECT_EQ(one.workers, 1U) << one.way;
}

TEST(advise, changes_nothing) {
  std::vector<double> numbers(1000, 2.0);
  const advice copied = forkful::advise(numbers, [](double& x) { x = -1; });
  EXPECT_EQ(numbers, std::vector<double>(1000, 2.0));
  EXPECT_GE(way_of(copied, "process").bytes_copied, 2 * 8000U) << "update copies there and back";
  shared_vector<double> table(1000, 2.0);
  const advice in_place = forkful::advise(table, [](double& x) { x = -1; });
  for (const double x : table) ASSERT_EQ(x, 2.0);
  EXPECT_EQ(way_of(in_place, "process").bytes_copied, 0U);
  const advice parts = forkful::advise(slices(table, 10), [](std::span<double> part) { part[0] = -1; });
  for (const double x : table) ASSERT_EQ(x, 2.0);
  EXPECT_EQ(parts.slices, 10U);
}

// Copies of a few of them lie in the nearest cache, all of them do not.
TEST(advise, slices_that_no_cache_holds_take_as_long_as_copying_them_at_least) {
  detail::job here;
  here.slices = 1000;
  here.run = [](const void* /*plan*/, detail::chunk_io& /*io*/, std::size_t /*first*/, std::size_t last) {
    return last;
  };
  detail::question asked;
  asked.slices = here.slices;
  asked.here = &here;
  asked.copy = [](void* /*self*/, std::size_t /*first*/, std::size_t /*count*/) {};
  asked.changed_bytes = 1'000'000'000;
  asked.no_process = asked.no_snapshot = "its items cannot be sent";
  const advice told = detail::answer(asked);
  const double rate = detail::best_of(detail::known_history()).copy_rate;
  EXPECT_GE(1.001 * std::chrono::duration<double>(way_of(told, "serial").time).count(), 0.9e9 / rate)
      << "but for what lies in a cache";
  asked.changed_bytes = 0;
  EXPECT_LT(way_of(detail::answer(asked), "serial").time, way_of(told, "serial").time) << "nothing is known of memory";
}

TEST(advise, says_why_a_way_is_not_possible) {
  int captured = 3;
  const advice told = forkful::advise(indices(10), [&](std::size_t i) { return static_cast<int>(i) + captured; });
  const expected_time& process = way_of(told, "process");
  EXPECT_FALSE(process.possible);
  EXPECT_NE(process.why_not.find("captures"), std::string::npos) << process.why_not;
  EXPECT_TRUE(way_of(told, "snapshot").possible);
  EXPECT_TRUE(way_of(told, "thread").possible);
}

TEST(advise, takes_whatever_a_verb_takes) {
  const std::vector<int> a{1, 2, 3};
  const std::vector<std::string> b{"x", "y", "z"};
  EXPECT_EQ(forkful::advise(zip(a, b), [](int n, const std::string& t) { return t + std::to_string(n); }).slices, 3U);
  EXPECT_EQ(forkful::advise({1, 2, 3}, [](int n) { return n; }).slices, 3U);
  EXPECT_EQ(forkful::advise(
                a, [](int n, const std::vector<double>& more) { return more[0] + n; }, std::vector{2.0})
                .slices,
            3U);
  EXPECT_EQ(forkful::advise(indices(5), [](std::size_t) {}).slices, 5U);
  const advice nothing = forkful::advise(std::vector<int>{}, [](int n) { return n; });
  EXPECT_EQ(nothing.slices, 0U);
  EXPECT_FALSE(nothing.parallel);
  EXPECT_FALSE(nothing.text().empty());
}

TEST(advise, throws_what_a_slice_throws) {
  try {
    (void)forkful::advise(indices(10), [](std::size_t) -> int { throw std::out_of_range("burnt"); });
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "burnt");
    EXPECT_NE(dynamic_cast<const slice_info*>(&error), nullptr);
  }
}

// Asks again while the advice is the other one: a slice that was looked at may have waited for a core that another program had.
template <class Ask>
advice advice_for(bool parallel, Ask ask) {
  advice told = ask();
  for (int again = 0; told.parallel != parallel && again != 20; ++again) told = ask();
  return told;
}

// Slices that sleep do not get in each other's way, and three additions are not worth a call.
TEST(advise, knows_the_clear_cases) {
  if (std::thread::hardware_concurrency() > 1) {
    const advice asleep = advice_for(
        true, [] { return forkful::advise(indices(60), [](std::size_t) { std::this_thread::sleep_for(5ms); }); });
    EXPECT_TRUE(asleep.parallel) << asleep.text();
    EXPECT_GE(way_of(asleep, "serial").time, 250ms);
  }
  const advice tiny = advice_for(false, [] { return forkful::advise({1, 2, 3}, [](int n) { return n + 1; }); });
  EXPECT_FALSE(tiny.parallel) << tiny.text();
  EXPECT_EQ(tiny.way, "serial");
}

TEST(advise, leaves_nothing_behind) {
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto ask = [] { (void)forkful::advise(indices(5000), [](std::size_t i) { return i * i; }); };
  ask();
  const auto before = descriptors();
  for (int i = 0; i != 5; ++i) ask();
  EXPECT_EQ(descriptors(), before);
}

}  // namespace
