// Where a slice crashed: docs/protocol.md, 17. The frames name the user's function, also when the stack is used up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <forkful/forkful.hpp>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "faults/killing.hpp"

// With names of their own, in the test program's own table of symbols; not inlined, and not tail calls.
namespace kitchen {

[[gnu::noinline]] void keep() { asm volatile(""); }

// UBSan would report the null pointer and exit.
[[gnu::noinline, gnu::no_sanitize("undefined")]] void touch(volatile char* where) {
  *where = 1;
  keep();
}

[[gnu::noinline]] static void burn(const std::string& slice) {
  std::ignore = slice;
  std::abort();
}

[[gnu::noinline]] static int too_deep(int frames) {
  volatile char room[4096];
  room[0] = 1;
  const int below = frames == 0 ? 0 : too_deep(frames - 1);
  return below + room[0];
}

struct oven {
  [[gnu::noinline]] void open(int degrees) const {
    if (degrees > 200) throw std::runtime_error("too hot");
    keep();
  }
};
[[gnu::noinline]] static void never_throws() noexcept {
  oven{}.open(300);
  keep();
}

}  // namespace kitchen

namespace {

using forkful::indices;
using forkful::slice_failure;
using namespace forkful_tests;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

enum class crash { null, wild, abort, terminate, overflow, trap, sent };

std::size_t run_slice(std::size_t i, const crash& how) {
  if (i != 3) return i;
  switch (how) {
    case crash::null:
      kitchen::touch(nullptr);
      break;
    case crash::wild:
      kitchen::touch(static_cast<char*>(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
      break;
    case crash::abort:
      kitchen::burn("slice_3");
      break;
    case crash::terminate:
      kitchen::never_throws();
      break;
    case crash::overflow: {
      const rlimit small{1 << 20, 1 << 20};
      setrlimit(RLIMIT_STACK, &small);
      std::ignore = kitchen::too_deep(1'000'000);
      break;
    }
    case crash::trap:
      __builtin_trap();
    case crash::sent:
      raise(SIGTERM);
  }
  return i;
}

// The failure of slice 3, all others delivered.
template <class Pool>
slice_failure failure_of(Pool& pool, crash how) {
  const auto outcomes = pool.try_map(indices(6), run_slice, how);
  EXPECT_EQ(outcomes.size(), 6U);
  for (std::size_t i = 0; i < outcomes.size(); ++i) EXPECT_EQ(outcomes[i].has_value(), i != 3) << i;
  if (outcomes[3].has_value()) return {};
  const slice_failure failure = outcomes[3].failure();
  EXPECT_EQ(failure.kind, forkful::failure_kind::crash);
  EXPECT_LE(failure.frames.size(), 16U);
  for (const std::string& frame : failure.frames) EXPECT_THAT(frame, Not(IsEmpty()));
  EXPECT_THAT(failure.frames, Not(Contains(HasSubstr("run_worker"))));
  return failure;
}

std::string top_of(const slice_failure& failure) { return failure.frames.empty() ? "" : failure.frames.front(); }

TEST(crash_frames, tell_where_a_null_pointer_was_followed) {
  const watchdog bites;
  forkful::process_pool pool{2};
  const slice_failure failure = failure_of(pool, crash::null);
  EXPECT_EQ(failure.signal, SIGSEGV);
  EXPECT_THAT(top_of(failure), HasSubstr("kitchen::touch(char volatile*)"));
  EXPECT_THAT(failure.frames, Contains(HasSubstr("run_slice(unsigned long")));
  EXPECT_THAT(
      failure.what,
      AllOf(HasSubstr("(SIGSEGV, segmentation fault) in kitchen::touch(char volatile*) at crash_frames_test.cpp:"),
            HasSubstr("followed a null pointer")));
}

TEST(crash_frames, tell_where_memory_was_touched_from_a_snapshot_pool_too) {
  const watchdog bites;
  forkful::snapshot_pool pool{2};
  const slice_failure failure = failure_of(pool, crash::wild);
  EXPECT_THAT(top_of(failure), HasSubstr("kitchen::touch"));
  EXPECT_THAT(failure.what, HasSubstr("touched memory that it may not touch."));
}

TEST(crash_frames, of_abort_begin_in_the_library_and_the_sentence_names_the_caller) {
  const watchdog bites;
  forkful::process_pool pool{2};
  const slice_failure failure = failure_of(pool, crash::abort);
  EXPECT_EQ(failure.signal, SIGABRT);
  EXPECT_THAT(failure.frames, Contains(StartsWith("abort")));
  EXPECT_THAT(failure.what, HasSubstr("in kitchen::burn(std::string const&) at crash_frames_test.cpp:"));
}

TEST(crash_frames, of_terminate_name_who_threw) {
  const watchdog bites;
  forkful::process_pool pool{2};
  const slice_failure failure = failure_of(pool, crash::terminate);
  EXPECT_EQ(failure.signal, SIGABRT);
  EXPECT_THAT(failure.frames, Contains(HasSubstr("kitchen::never_throws()")));
  EXPECT_THAT(failure.what, HasSubstr("in kitchen::"));
}

TEST(crash_frames, are_there_when_the_stack_is_used_up) {
  const watchdog bites;
  forkful::process_pool pool{2};
  const slice_failure failure = failure_of(pool, crash::overflow);
  EXPECT_EQ(failure.signal, SIGSEGV);
  EXPECT_EQ(failure.frames.size(), 16U);
  EXPECT_THAT(failure.what, AllOf(HasSubstr("in kitchen::too_deep(int) at crash_frames_test.cpp:"),
                                  HasSubstr("overflowed its stack")));
}

TEST(crash_frames, are_there_for_a_trap_and_not_for_signals_that_nobody_catches) {
  const watchdog bites;
  forkful::process_pool pool{2};
  const slice_failure trapped = failure_of(pool, crash::trap);
  EXPECT_THAT(trapped.frames, Contains(HasSubstr("run_slice(unsigned long")));
  const slice_failure sent = failure_of(pool, crash::sent);
  EXPECT_EQ(sent.signal, SIGTERM);
  EXPECT_THAT(sent.frames, IsEmpty());
}

sigjmp_buf way_back;

// A slice that handles a signal itself goes on: nothing is reported, no worker dies.
TEST(crash_frames, leave_a_slice_its_own_handler) {
  const watchdog bites;
  forkful::process_pool pool{1};
  const auto caught = pool.map(indices(3), [](std::size_t i) {
    struct sigaction own{};
    own.sa_handler = [](int) { siglongjmp(way_back, 1); };
    sigaction(SIGSEGV, &own, nullptr);
    if (sigsetjmp(way_back, 1) != 0) return i + 100;
    kitchen::touch(nullptr);
    return i;
  });
  EXPECT_EQ(caught, (std::vector<std::size_t>{100, 101, 102}));
  EXPECT_EQ(pool.report().deaths, 0U);
}

// A child that user code forked crashes for itself: its crash is not taken for the worker's.
TEST(crash_frames, of_a_child_are_not_the_workers) {
  const watchdog bites;
  forkful::process_pool pool{1};
  const auto outcomes = pool.try_map(indices(2), [](std::size_t i) {
    const ending end = in_child([]() -> int { std::abort(); });
    if (i == 1) raise(SIGTERM);
    return end.killed_by(SIGABRT);
  });
  EXPECT_TRUE(outcomes[0].value());
  ASSERT_FALSE(outcomes[1].has_value());
  EXPECT_EQ(outcomes[1].failure().signal, SIGTERM);
  EXPECT_THAT(outcomes[1].failure().frames, IsEmpty());
}

}  // namespace
