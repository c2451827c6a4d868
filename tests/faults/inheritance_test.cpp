// What a worker inherits by fork and what it must not: buffered text, signal handlers, masks, core dumps, locks.
// docs/protocol.md, 17. Each test runs in a child, whose signals and standard output are its own.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <forkful/forkful.hpp>
#include <iostream>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "faults/killing.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using forkful::snapshot_pool;
using namespace forkful_tests;

std::string everything_in(int file) {
  std::string text(static_cast<std::size_t>(lseek(file, 0, SEEK_END)), '\0');
  return pread(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()) ? text : "unreadable";
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

TEST(inherited_text, is_printed_once_and_what_slices_print_arrives_before_the_call_returns) {
  const int file = memfd_create("printed", MFD_CLOEXEC);
  fcntl(file, F_SETFL, O_APPEND);  // writers that share a memfd's position overwrite each other
  const auto ended = in_child([&] {
    alarm(hang_seconds);
    dup2(file, STDOUT_FILENO);  // a file: stdout is fully buffered
    std::setvbuf(stdout, nullptr, _IOFBF, 1 << 16);
    std::printf("[before the pool]");
    std::cout << "[by cout]";
    process_pool pool{2};
    std::printf("[between]");
    pool.with({.chunk = 1}).for_each(indices(20), [](std::size_t i) { std::printf("[slice %zu]", i); });
    if (count_of(everything_in(file), "[slice") != 20) return 1;
    snapshot_pool{2}.for_each(indices(5), [](std::size_t i) { std::cout << "[photo " << i << "]"; });
    if (count_of(everything_in(file), "[photo") != 5) return 2;
    // A crash loses what the slice had not flushed, and nothing is printed twice because of it.
    std::ignore = pool.with({.chunk = 1}).try_for_each(indices(20), [](std::size_t i) {
      std::printf("[again %zu]", i);
      if (i == 7) raise(SIGKILL);
    });
    std::fflush(stdout);
    return 0;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
  const std::string text = everything_in(file);
  for (const char* once : {"[before the pool]", "[by cout]", "[between]"}) EXPECT_EQ(count_of(text, once), 1U) << text;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(count_of(text, "[slice " + std::to_string(i) + "]"), 1U) << text;
    EXPECT_EQ(count_of(text, "[again " + std::to_string(i) + "]"), i == 7 ? 0U : 1U) << text;
  }
  close(file);
}

std::atomic<int>* handled = nullptr;

TEST(inherited_signals, an_interrupt_has_no_effect_on_workers_and_its_usual_one_on_what_they_run) {
  const seen_by_all<std::atomic<int>> count;
  handled = &*count;
  const auto ended = in_child([] {
    alarm(hang_seconds);
    std::signal(SIGINT, [](int) { handled->fetch_add(1); });
    process_pool pool{2};
    const auto states = pool.with({.chunk = 1}).map(indices(8), [](std::size_t) {
      raise(SIGINT);  // ^C reaches every process of the group: workers go on
      int odd = 0;
      rlimit core{};
      getrlimit(RLIMIT_CORE, &core);
      if (core.rlim_cur != 0) odd |= 4;
      // A program that a worker executes is interrupted as usual.
      const int status = std::system("kill -INT $$; exit 5");
      if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)) odd |= 8;
      return odd;
    });
    int all = 0;
    for (const int odd : states) all |= odd;
    if (pool.report().deaths != 0) return 100;
    if (handled->load() != 0) return 101;
    raise(SIGINT);
    return handled->load() == 1 ? all : 102;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// A ^C while the caller waits: its own handler runs, the call goes on, no worker dies.
TEST(inherited_signals, an_interrupt_of_the_whole_group_costs_nothing) {
  const seen_by_all<std::atomic<int>> count;
  handled = &*count;
  const auto ended = in_child([] {
    alarm(hang_seconds);
    setpgid(0, 0);
    std::signal(SIGINT, [](int) { handled->fetch_add(1); });
    process_pool pool{2};
    for (int round = 1; round <= 20; ++round) {
      const auto squares = pool.with({.chunk = 1}).map(indices(30), [](std::size_t i) {
        if (i == 15) kill(0, SIGINT);
        return i * i;
      });
      for (std::size_t i = 0; i < squares.size(); ++i)
        if (squares[i] != i * i) return 1;
      if (squares.size() != 30 || pool.report().deaths != 0) return 2;
    }
    return handled->load() >= 1 ? 0 : 3;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// Another thread sits in a read of stdin and holds its lock; workers come and go all the same.
TEST(inherited_locks, a_thread_that_reads_stdin_holds_nobody_up) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    int ends[2];
    if (pipe(ends) != 0) return 1;
    dup2(ends[0], STDIN_FILENO);
    std::atomic<bool> reading{false};
    std::thread reader([&] {
      reading = true;
      flockfile(stdin);
      std::ignore = std::getchar();
      funlockfile(stdin);
    });
    while (!reading || ftrylockfile(stdin) == 0) {
      if (reading) funlockfile(stdin);
      std::this_thread::yield();
    }
    std::size_t right = 0;
    for (int round = 0; round != 10; ++round) {
      process_pool pool{2};
      right += pool.map(indices(20), [](std::size_t i) { return i; }).size();
      right += snapshot_pool{2}.map(indices(20), [](std::size_t i) { return i; }).size();
    }
    if (write(ends[1], "x", 1) != 1) return 2;
    reader.join();
    return right == 400 ? 0 : 3;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// Ctrl-C goes to the whole process group, also to a worker that was forked a moment ago: the caller's handler is not its own.
TEST(inherited_signals, do_not_run_the_callers_handler_in_a_newborn_worker) {
  static std::atomic<int>* caught = nullptr;
  static std::atomic<int>* raised = nullptr;
  const seen_by_all<std::atomic<int>> in_workers;
  const seen_by_all<std::atomic<int>> newborns;
  caught = &*in_workers;
  raised = &*newborns;
  const auto ended = in_child([] {
    alarm(hang_seconds);
    struct sigaction action{};
    action.sa_handler = [](int) { caught->fetch_add(1); };
    sigaction(SIGINT, &action, nullptr);
    forkful::detail::breakpoint_installed = [](point where) {
      if (where != point::fork_child) return;
      raised->fetch_add(1);
      raise(SIGINT);
    };
    process_pool pool{2};
    const auto finished = pool.map(indices(10), [](std::size_t i) { return i; });
    while (raised->load() != 2) usleep(100);  // one of them may have run everything before the other was born
    raise(SIGINT);
    return finished.size() == 10 && pool.report().deaths == 0 ? 0 : 1;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
  EXPECT_EQ(newborns->load(), 2);
  EXPECT_EQ(in_workers->load(), 1) << "only the caller's own";
}

}  // namespace
