// How much of an input is read at once, and when no more of it is to be read for a while.
#include "backends/input_reader.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "os/cpu.hpp"

namespace forkful::detail {
namespace {

// Gives so many slices, and does something before each.
struct given_input {
  std::size_t left = 0;
  void (*before)() = [] {};
  std::size_t throws_at = SIZE_MAX;  // left
};

job reading(given_input& from) {
  job made;
  made.caller = &from;
  made.pull = [](void* caller, std::size_t wanted) {
    given_input& input = *static_cast<given_input*>(caller);
    std::size_t got = 0;
    for (; got != wanted && input.left != 0; ++got, --input.left) {
      input.before();
      if (input.left == input.throws_at) throw std::runtime_error("no more");
    }
    return got;
  };
  return made;
}

void wait_a_little() { std::this_thread::sleep_for(std::chrono::milliseconds(3)); }
void compute_a_little() {
  const std::uint64_t end = now_ns() + 3'000'000;
  while (now_ns() < end) relax();
}

TEST(input_reader, reads_what_is_wanted_of_an_input_that_is_quick) {
  given_input input{.left = 100};
  const job work = reading(input);
  input_reader reader;
  EXPECT_EQ(reader.read(work, 64, false), 1U) << "the first tells whether it is";
  EXPECT_EQ(reader.read(work, 64, false), 64U);
  EXPECT_EQ(reader.not_before(), 0U);
  EXPECT_EQ(reader.read(work, 64, false), 35U);
  EXPECT_EQ(reader.read(work, 64, false), 0U);
}

TEST(input_reader, takes_what_there_is_of_one_that_is_waited_for) {
  given_input input{.left = 100, .before = wait_a_little};
  const job work = reading(input);
  input_reader reader;
  for (int i = 0; i != 3; ++i) {
    EXPECT_EQ(reader.read(work, 64, false), 1U);
    EXPECT_GT(reader.not_before(), now_ns() - 1'000'000'000);
  }
  EXPECT_EQ(reader.read(work, 3, true), 3U) << "so many were asked for";
  input.before = [] {};
  EXPECT_EQ(reader.read(work, 64, false), 1U);
  EXPECT_EQ(reader.not_before(), 0U);
  EXPECT_EQ(reader.read(work, 64, false), 64U);
}

TEST(input_reader, does_not_wait_for_one_that_is_computed) {
  given_input input{.left = 100, .before = compute_a_little};
  const job work = reading(input);
  input_reader reader;
  std::size_t computed = 0;
  for (int i = 0; i != 10; ++i) {
    EXPECT_EQ(reader.read(work, 64, false), 1U);
    computed += reader.not_before() == 0 ? 1 : 0;
  }
  EXPECT_GE(computed, 1U) << "where other programs have the cores it looks as if it waited";
}

TEST(input_reader, keeps_what_the_input_threw_behind_what_it_gave) {
  given_input input{.left = 10, .throws_at = 5};
  const job work = reading(input);
  input_reader reader;
  EXPECT_EQ(reader.read(work, 64, false), 1U);
  EXPECT_EQ(reader.read(work, 64, false), 4U);
  EXPECT_THROW(reader.read(work, 64, false), std::runtime_error);
}

TEST(input_reader, reads_at_once_what_is_in_memory) {
  given_input input{.left = 100};
  job work = reading(input);
  work.slices = 100;
  input_reader reader;
  EXPECT_EQ(reader.read(work, 64, false), 64U);
}

}  // namespace
}  // namespace forkful::detail
