// Freed runs that stay warm for reuse: how long they do, which process gives them back, and what happens to them then
// (docs/protocol.md, 8).
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <forkful/errors.hpp>
#include <thread>
#include <vector>

#include "memory/arena.hpp"
#include "support/in_child.hpp"

namespace {

using namespace forkful::detail;
using forkful_tests::in_child;
using forkful_tests::seen_by_all;
using forkful_tests::start_child;
using forkful_tests::wait_for;

constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr std::size_t gibibyte = std::size_t{1} << 30;
constexpr std::uint64_t second = 1'000'000'000;

// The clock of these arenas.
std::uint64_t time_now = 0;
std::uint64_t told_time() noexcept { return time_now; }

std::size_t resident_pages(void* data, std::size_t bytes) {
  std::vector<unsigned char> pages(bytes / 4096);
  if (mincore(data, bytes, pages.data()) != 0) return SIZE_MAX;
  return static_cast<std::size_t>(
      std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return (p & 1) != 0; }));
}

void* filled(arena& memory, std::size_t bytes, int with = 1) {
  return std::memset(memory.allocate(bytes), with, bytes);
}

TEST(warm_memory, goes_when_nobody_has_needed_it_for_a_second) {
  time_now = 100 * second;
  const auto memory = arena::make_for_test(4 * gibibyte, nullptr, told_time);
  memory->let_decay(time_now, time_now);
  void* const idle = filled(*memory, 20 * mebibyte);
  void* const needed = filled(*memory, 10 * mebibyte);
  memory->deallocate(idle);
  memory->deallocate(needed);
  time_now += second / 2;
  memory->let_decay(time_now, time_now);
  EXPECT_EQ(resident_pages(idle, 20 * mebibyte), 20 * mebibyte / 4096);

  time_now += second / 4 * 3;
  ASSERT_EQ(memory->allocate(10 * mebibyte), needed);
  memory->deallocate(needed);
  memory->let_decay(time_now, time_now);
  EXPECT_EQ(resident_pages(idle, 20 * mebibyte), 1U) << "the page of its link";
  EXPECT_EQ(resident_pages(needed, 10 * mebibyte), 10 * mebibyte / 4096) << "needed just now";
  time_now += 2 * second;
  memory->let_decay(time_now, time_now);
  EXPECT_EQ(resident_pages(needed, 10 * mebibyte), 1U);
  EXPECT_EQ(filled(*memory, 20 * mebibyte), idle) << "its addresses are used again";
}

TEST(warm_memory, that_a_long_call_needed_at_its_beginning_stays) {
  time_now = 100 * second;
  const auto memory = arena::make_for_test(gibibyte, nullptr, told_time);
  void* const run = filled(*memory, mebibyte);
  memory->deallocate(run);
  memory->let_decay(time_now + 10 * second, time_now - second);
  EXPECT_EQ(resident_pages(run, mebibyte), mebibyte / 4096);
  memory->let_decay(time_now + 20 * second, time_now + 10 * second);
  EXPECT_EQ(resident_pages(run, mebibyte), 1U);
}

std::size_t* left_now = nullptr;
std::size_t left_for_all() noexcept { return *left_now; }

// A run that another process gave back and cooled: there is not enough memory for it again, but for a smaller one there is.
TEST(warm_memory, that_cannot_be_had_again_is_not_handed_out_the_next_time) {
  const seen_by_all<std::size_t> left;
  left_now = &*left;
  *left = 64 * mebibyte;
  const auto memory = arena::make_for_test(gibibyte / 4, left_for_all);
  const unsigned slot = memory->acquire_slot();
  constexpr std::size_t larger = 20 * 65536;
  constexpr std::size_t smaller = 16 * 65536;
  const seen_by_all<void*> run;
  EXPECT_TRUE(in_child([&] {
                memory->become_worker(slot);
                *run = filled(*memory, larger);
                return 0;
              }).exited_with(0));
  memory->deallocate(*run);
  memory->trim();
  EXPECT_EQ(resident_pages(*run, larger), 1U);
  enum how : int { right = 50, handed_out };
  const auto ended = in_child([&] {
    memory->become_worker(slot);
    *left = smaller + 65536;
    filled(*memory, smaller);
    *left = 0;
    try {
      memory->allocate(larger);
      return handed_out;
    } catch (const forkful::arena_exhausted&) {
    }
    *left = 64 * mebibyte;
    filled(*memory, larger);
    return right;
  });
  EXPECT_TRUE(ended.exited_with(right)) << ended.status;
}

// Freed after another process read the clock to see what is old.
TEST(warm_memory, that_rests_since_a_moment_ago_is_not_taken_for_old) {
  time_now = 101 * second;
  const auto memory = arena::make_for_test(gibibyte, nullptr, told_time);
  void* const run = filled(*memory, mebibyte);
  memory->deallocate(run);
  memory->let_decay(100 * second, 100 * second);
  EXPECT_EQ(resident_pages(run, mebibyte), mebibyte / 4096);
}

TEST(warm_memory, is_looked_at_once_a_second_at_most) {
  time_now = 100 * second;
  const auto memory = arena::make_for_test(gibibyte, nullptr, told_time);
  void* const run = filled(*memory, mebibyte);
  memory->deallocate(run);
  const auto left_at = [&](std::uint64_t now) {
    memory->let_decay(now, now);
    return resident_pages(run, mebibyte);
  };
  EXPECT_EQ(left_at(time_now + second * 9 / 10), mebibyte / 4096) << "too young";
  EXPECT_EQ(left_at(time_now + second * 15 / 10), mebibyte / 4096) << "looked a moment ago";
  EXPECT_EQ(left_at(time_now + second * 20 / 10), 1U);
}

TEST(warm_memory, of_a_worker_that_lives_goes_too_and_is_used_again) {
  const auto memory = arena::make_for_test(gibibyte);
  struct story {
    std::atomic<int> step;
    std::array<void*, 3> runs;
  };
  const seen_by_all<story> told;
  const pid_t worker = start_child([&] {
    memory->become_worker(1);
    for (void*& run : told->runs) run = filled(*memory, 10 * mebibyte);
    for (void* run : told->runs) memory->deallocate(run);
    memory->slice_done();
    told->step = 1;
    while (told->step != 2) std::this_thread::yield();
    for (void*& run : told->runs) run = filled(*memory, 10 * mebibyte, 2);
    return 7;
  });
  while (told->step != 1) std::this_thread::yield();
  const std::array before = told->runs;
  for (void* run : before) EXPECT_EQ(resident_pages(run, 10 * mebibyte), 10 * mebibyte / 4096);
  memory->trim();
  for (void* run : before) EXPECT_EQ(resident_pages(run, 10 * mebibyte), 1U);
  told->step = 2;
  ASSERT_TRUE(wait_for(worker).exited_with(7));
  std::array again = told->runs;
  std::sort(again.begin(), again.end());
  std::array sorted = before;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(again, sorted);
  for (void* run : again) EXPECT_EQ(static_cast<unsigned char*>(run)[10 * mebibyte - 1], 2);
}

TEST(warm_memory, of_a_worker_that_died_is_found_by_its_successor) {
  const auto memory = arena::make_for_test(gibibyte);
  const seen_by_all<void*> run;
  ASSERT_TRUE(in_child([&] {
                memory->become_worker(1);
                *run = filled(*memory, 10 * mebibyte);
                memory->deallocate(*run);
                memory->slice_done();
                return 7;
              }).exited_with(7));
  memory->trim();
  EXPECT_EQ(resident_pages(*run, 10 * mebibyte), 1U);
  EXPECT_TRUE(in_child([&] {
                memory->become_worker(1);
                return memory->allocate(10 * mebibyte) == *run ? 7 : 1;
              }).exited_with(7));
}

// What one process gives back is never what another one has just taken.
TEST(warm_memory, is_never_taken_from_under_who_uses_it) {
  const auto memory = arena::make_for_test(gibibyte);
  const seen_by_all<std::atomic<int>> state;  // 1: at work, 2: done
  const pid_t worker = start_child([&] {
    memory->become_worker(1);
    *state = 1;
    bool right = true;
    for (int round = 0; round != 20'000; ++round) {
      const std::size_t bytes = (1 + static_cast<std::size_t>(round) % 5) * span_bytes;
      auto* const run = static_cast<unsigned char*>(filled(*memory, bytes, round & 0xff));
      for (std::size_t at = 0; at < bytes; at += 4096) right = right && run[at] == (round & 0xff);
      memory->deallocate(run);
      memory->slice_done();
    }
    *state = 2;  // also after an error: the parent waits for it
    return right ? 7 : 1;
  });
  while (*state == 0) std::this_thread::yield();
  unsigned trims = 0;
  for (; *state != 2 || trims == 0; ++trims) {
    memory->trim();
  }
  EXPECT_GT(trims, 0U);
  EXPECT_TRUE(wait_for(worker).exited_with(7));
}

TEST(warm_memory, that_is_just_going_is_waited_for) {
  span_table::shared_state shared{};
  shared.length = SIZE_MAX;  // nothing has to grow
  std::vector<std::atomic<std::uint64_t>> words(8);
  span_table spans(&shared, words.data(), words.size(), nullptr, {});
  const std::size_t run = spans.claim_run(1, 4, span_bytes);
  spans.rest(run);
  words[run] = spans.word(run).in(span_kind::cooling).bits();
  std::atomic<bool> asks{false};
  std::atomic<bool> gone{false};
  bool gone_when_it_had_it = false;
  std::thread taker([&] {
    asks = true;
    spans.rouse(run);
    gone_when_it_had_it = gone;
  });
  while (!asks) std::this_thread::yield();
  for (int i = 0; i != 1000; ++i) std::this_thread::yield();
  gone = true;
  words[run] = spans.word(run).in(span_kind::cold).bits();
  taker.join();
  EXPECT_TRUE(gone_when_it_had_it);
  EXPECT_EQ(spans.word(run).kind(), span_kind::run);
  EXPECT_EQ(spans.word(run).length(), 4U);
}

TEST(warm_memory, that_went_is_committed_again_before_it_is_handed_out) {
  static std::size_t left = 0;
  left = gibibyte;
  const auto memory = arena::make_for_test(gibibyte, [] { return left; });
  const seen_by_all<void*> run;
  const seen_by_all<std::atomic<int>> step;
  const pid_t worker = start_child([&] {
    memory->become_worker(1);
    *run = filled(*memory, 20 * mebibyte);
    memory->deallocate(*run);
    memory->slice_done();
    *step = 1;
    while (*step != 2) std::this_thread::yield();
    left = 0;  // as far as this process knows
    try {
      static_cast<void>(memory->allocate(20 * mebibyte));
      return 1;
    } catch (const forkful::arena_exhausted&) {
    }
    left = gibibyte;
    return memory->allocate(20 * mebibyte) != nullptr ? 7 : 2;
  });
  while (*step != 1) std::this_thread::yield();
  memory->trim();
  *step = 2;
  EXPECT_TRUE(wait_for(worker).exited_with(7));
}

}  // namespace
