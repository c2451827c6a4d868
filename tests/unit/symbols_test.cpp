// Names of code. That of programs with and without debug information: tests/crash_names/run.sh.
#include "names/symbols.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>
#include <vector>

#include "faults/killing.hpp"
#include "os/stack.hpp"
#include "support/in_child.hpp"

namespace kitchen {

// Declared with C linkage, so that its name is one that means a type to the demangler.
extern "C" [[gnu::noinline]] void i() { asm volatile(""); }

[[gnu::noinline]] static void stir() { asm volatile(""); }

}  // namespace kitchen

namespace {

using forkful::detail::code_name;
using forkful::detail::name_code;
using testing::StartsWith;

code_name name_of(void (*code)()) { return name_code(std::array{reinterpret_cast<std::uintptr_t>(code)}).at(0); }

TEST(symbols, name_static_functions_with_their_lines) {
  const code_name name = name_of(kitchen::stir);
  EXPECT_EQ(name.text, "kitchen::stir()");
  EXPECT_THAT(name.place, StartsWith("symbols_test.cpp:"));
  EXPECT_FALSE(name.system);
  EXPECT_FALSE(name.ours);
}

TEST(symbols, do_not_take_the_name_of_a_c_function_for_a_type) { EXPECT_EQ(name_of(kitchen::i).text, "i"); }

TEST(symbols, tell_what_is_the_c_librarys) {
  const code_name name = name_of(&std::abort);
  EXPECT_EQ(name.text, "abort");
  EXPECT_TRUE(name.system);
}

TEST(symbols, show_an_address_that_is_no_code) {
  const auto names = name_code(std::array<std::uintptr_t, 2>{0, 0x10});
  ASSERT_EQ(names.size(), 2U);
  EXPECT_EQ(names[1].text, "0x10");
}

std::size_t address_space() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// The reader of debug information would end the program if it were let; here memory runs out in it in many places.
// A stack that has no address space left to grow into ends any program, whatever it is doing.
[[gnu::noinline]] void grow_stack() {
  volatile char room[std::size_t{6} << 20];
  for (std::size_t i = 0; i < sizeof room; i += 4096) room[i] = 0;
}

// To what is taken now and so much more.
void limit_memory(std::size_t room) {
  grow_stack();
  const std::size_t most =
      room == RLIM_INFINITY ? room : address_space() + room;  // asked once: asking takes memory itself
  const rlimit little{most, RLIM_INFINITY};
  setrlimit(RLIMIT_AS, &little);
}

TEST(symbols, are_poorer_without_memory_and_never_end_the_program) {
  if (forkful_tests::sanitized) GTEST_SKIP() << "a sanitizer takes all the address space there is";
  enum how : int { with_line = 50, without_line, none };
  std::array<unsigned, 60> seen{};
  for (std::size_t room = 0; seen[with_line] == 0; room += std::size_t{400} << 10) {
    ASSERT_LT(room, std::size_t{256} << 20);
    const auto end = forkful_tests::in_child([&] {
      limit_memory(room);
      try {
        return name_of(kitchen::stir).place.empty() ? without_line : with_line;
      } catch (const std::bad_alloc&) {
        return none;
      }
    });
    const bool fine = end.exited_with(with_line) || end.exited_with(without_line) || end.exited_with(none);
    ASSERT_TRUE(fine) << end.status << " with " << room << " bytes";
    ++seen[static_cast<std::size_t>(WEXITSTATUS(end.status))];
  }
  EXPECT_GE(seen[without_line], 5U);
}

TEST(symbols, lose_their_lines_as_long_as_memory_is_scarce) {
  if (forkful_tests::sanitized) GTEST_SKIP() << "a sanitizer takes all the address space there is";
  enum how : int { right = 50, without_lines_first, read_where_memory_may_run_out, never_again };
  const auto end = forkful_tests::in_child([] {
    if (name_of(kitchen::stir).place.empty()) return without_lines_first;
    limit_memory(std::size_t{8} << 20);
    if (!name_of(kitchen::i).place.empty()) return read_where_memory_may_run_out;
    limit_memory(RLIM_INFINITY);
    return name_code(std::array{reinterpret_cast<std::uintptr_t>(&name_code)}).at(0).place.empty() ? never_again
                                                                                                   : right;
  });
  EXPECT_TRUE(end.exited_with(right)) << end.status;
}

// Runs it on a stack of 64 KiB of the program's own, in the thread that calls.
ucontext_t outside;
void (*in_coroutine)() = nullptr;
void run_in_coroutine(void* stack, void (*body)()) {
  in_coroutine = body;
  ucontext_t inside;
  getcontext(&inside);
  inside.uc_stack = {.ss_sp = stack, .ss_flags = 0, .ss_size = std::size_t{64} << 10};
  inside.uc_link = &outside;
  makecontext(&inside, [] { in_coroutine(); }, 0);
  swapcontext(&outside, &inside);
}

std::size_t left_in_coroutine = 1;
code_name named_in_coroutine;

TEST(symbols, are_found_from_coroutines_however_large_the_stack_may_become) {
  rlimit before{};
  getrlimit(RLIMIT_STACK, &before);
  if (before.rlim_max != RLIM_INFINITY) GTEST_SKIP() << "its stack may not be as large as it likes here";
  enum how : int { right = 50, counts_another_stack, counts_too_little, no_name };
  const auto end = forkful_tests::in_child([] {
    std::vector<char> of_heap(std::size_t{64} << 10);
    void* const of_kernel =
        mmap(nullptr, std::size_t{64} << 10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (const rlim_t most : {rlim_t{8} << 20, rlim_t{64} << 30, RLIM_INFINITY}) {
      const rlimit limit{most, RLIM_INFINITY};
      setrlimit(RLIMIT_STACK, &limit);
      for (void* const stack : {static_cast<void*>(of_heap.data()), of_kernel}) {
        run_in_coroutine(stack, [] { left_in_coroutine = forkful::detail::stack_left(); });
        if (left_in_coroutine != 0) return counts_another_stack;
        run_in_coroutine(stack, [] { named_in_coroutine = name_of(kitchen::stir); });
        if (named_in_coroutine.text != "kitchen::stir()") return no_name;
      }
      if (forkful::detail::stack_left() < std::size_t{4} << 20) return counts_too_little;
    }
    return right;
  });
  EXPECT_TRUE(end.exited_with(right)) << end.status;
}

}  // namespace
