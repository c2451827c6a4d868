// Code of the program that closes descriptors which are not its own, as daemons and libraries do, and opens files that get their
// numbers: docs/protocol.md, 13, 19.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <forkful/forkful.hpp>
#include <memory>
#include <string>

#include "faults/killed_parents.hpp"
#include "support/process_state.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using namespace forkful_tests;

constexpr int numbers = 1024;

// Closes everything above 2 and puts one file of the program's on every number.
void take_all_numbers(int file) {
  const int kept = dup(file);
  for (int number = 3; number != numbers; ++number) {
    if (number != kept) dup2(kept, number);
  }
}

std::size_t own_numbers_left(const char* path) {
  struct stat wanted{};
  stat(path, &wanted);
  std::size_t left = 0;
  for (int number = 3; number != numbers; ++number) {
    struct stat found{};
    left += fstat(number, &found) == 0 && found.st_ino == wanted.st_ino && found.st_rdev == wanted.st_rdev ? 1 : 0;
  }
  return left;
}

std::string low_numbers() {
  std::string open;
  for (int number = 0; number != 3; ++number) {
    if (fcntl(number, F_GETFD) >= 0) open += std::to_string(number);
  }
  return open;
}

TEST(descriptors, of_a_pool_are_none_of_those_that_programs_print_to) {
  EXPECT_TRUE(in_child([] {
                for (int number = 0; number != 3; ++number) close(number);
                process_pool pool{2};
                if (!low_numbers().empty()) return 1;
                return pool.map(indices(2), [](std::size_t) { return low_numbers(); })[0].empty() ? 0 : 2;
              }).exited_with(0));
}

// As daemons do: what was closed is opened again, and a worker dies afterwards.
TEST(descriptors, of_a_pool_outlive_what_daemons_do_to_the_first_three) {
  EXPECT_TRUE(in_child([] {
                for (int number = 0; number != 3; ++number) close(number);
                process_pool pool{2};
                const int nothing = open("/dev/null", O_RDWR);
                for (int number = 0; number != 3; ++number) dup2(nothing, number);
                auto outcomes = pool.try_map({1, 2, 3, 4}, [](int slice) {
                  if (slice == 2) raise(SIGKILL);
                  return slice;
                });
                return outcomes[0] && !outcomes[1] && outcomes[2] && outcomes[3] ? 0 : 1;
              }).exited_with(0));
}

// The worker would ring for its parent, which sleeps, but the program's file has the bell's number.
TEST(descriptors, that_a_slice_took_for_its_own_file_are_not_written_to) {
  const std::string path = testing::TempDir() + "forkful_taken_" + std::to_string(getpid());
  EXPECT_TRUE(in_child([&] {
                process_pool pool{1};
                const forkful::shared_string name(path);
                for (int call = 0; call != 3; ++call) {
                  pool.for_each(
                      {getpid()},
                      [](pid_t parent, const forkful::shared_string& file) {
                        take_all_numbers(open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
                        while (state_of(parent) != 'S') usleep(100);
                      },
                      name);
                }
                return 0;
              }).exited_with(0));
  EXPECT_EQ(std::filesystem::file_size(path), 0U);
  std::filesystem::remove(path);
}

// Results or a sentence, either is right; but nothing hangs, what the program opened stays open, and the pool goes on.
TEST(descriptors, that_the_program_closed_end_the_call_at_most) {
  EXPECT_TRUE(in_child([] {
                auto pool = std::make_unique<process_pool>(2);
                std::ignore = pool->map({1, 2, 3}, [](int slice) { return slice; });
                take_all_numbers(open("/dev/zero", O_RDONLY));
                for (int call = 0;; ++call) {
                  try {
                    if (pool->map(indices(100), [](std::size_t slice) { return slice; })[99] == 99) break;
                    return 1;
                  } catch (const forkful::start_failed& error) {
                    if (call != 0 || std::string(error.what()).find("descriptors") == std::string::npos) return 2;
                    // One number for each descriptor that the pool will open.
                    for (int number = numbers - 64; number != numbers; ++number) close(number);
                  }
                }
                const std::size_t left = own_numbers_left("/dev/zero");
                pool.reset();
                return own_numbers_left("/dev/zero") == left ? 0 : 3;
              }).exited_with(0));
}

TEST(descriptors, that_the_program_closed_are_not_closed_again_in_its_children) {
  EXPECT_TRUE(in_child([] {
                process_pool pool{2};
                take_all_numbers(open("/dev/zero", O_RDONLY));
                const std::size_t all = own_numbers_left("/dev/zero");
                return in_child([all] { return own_numbers_left("/dev/zero") == all ? 0 : 1; }).exited_with(0) ? 0 : 1;
              }).exited_with(0));
}

TEST_F(killed_parents, take_workers_with_them_whose_slices_closed_all_descriptors) {
  for (int i = 0; i != static_cast<int>(times(10)); ++i) {
    round(2, [] {
      process_pool{2}.with({.chunk = 1}).for_each(indices(2), [](std::size_t slice) {
        for (int number = 3; number != numbers; ++number) close(number);
        run_for_ever(slice);
      });
    });
  }
  tell("without descriptors");
}

// A worker that root started cannot be sent a signal by the user that its parent has become.
std::atomic<bool>* begun = nullptr;

void never_end() {
  *begun = true;
  for (;;) pause();
}

TEST(workers, that_may_not_be_killed_are_ended_all_the_same) {
  if (getuid() != 0) GTEST_SKIP() << "privileges can be dropped by root only";
  const seen_by_all<std::atomic<bool>> shared;
  begun = &*shared;
  EXPECT_TRUE(in_child([] {
                process_pool pool{2};
                std::ignore = pool.map({1, 2, 3}, [](int slice) { return slice; });
                if (setresuid(65534, 65534, 65534) != 0) return 1;
                auto endless = pool.submit(never_end);
                while (!*begun) usleep(100);
                if (!endless.cancel(forkful::kill)) return 2;
                try {
                  endless.get();
                  return 3;
                } catch (const forkful::cancelled&) {
                }
                *begun = false;
                auto another = pool.submit(never_end);
                while (!*begun) usleep(100);
                pool.terminate();
                return 0;
              }).exited_with(0));
}

}  // namespace
