// A program that a debugger traces: what the kernel reports to the debugger decides whether it leaves its breakpoints
// in our processes.
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <forkful/forkful.hpp>

#include "support/hang.hpp"
#include "support/in_child.hpp"

namespace {

using namespace forkful_tests;

struct told {
  int processes = 0;  // that were announced as such
  int threads = 0;    // and as threads of the program
  int status = -1;    // with which it ended
};

// What gdb does by default: it detaches from new processes, and stays attached to threads.
template <class Body>
told trace(Body body) {
  const pid_t child = start_child([&] {
    alarm(hang_seconds);
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) return 90;
    raise(SIGSTOP);
    return body();
  });
  told seen;
  int status = 0;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
  ptrace(PTRACE_CONT, child, nullptr, nullptr);
  for (pid_t who = 0; (who = waitpid(-1, &status, __WALL)) > 0;) {
    if (who == child && !WIFSTOPPED(status)) {
      seen.status = status;
      return seen;
    }
    if (who != child) {
      ptrace(PTRACE_DETACH, who, nullptr, nullptr);
      continue;
    }
    const int event = status >> 16;
    seen.processes += event == PTRACE_EVENT_FORK ? 1 : 0;
    seen.threads += event == PTRACE_EVENT_CLONE ? 1 : 0;
    ptrace(PTRACE_CONT, child, nullptr, event != 0 ? 0 : WSTOPSIG(status));
  }
  return seen;
}

int work(forkful::process_pool& pool) {
  const auto squares = pool.map({1, 2, 3}, [](int x) { return x * x; });
  return squares[2] == 9 && pool.report().deaths == 0 ? 0 : 1;
}

TEST(traced, init_makes_a_process_in_the_eyes_of_a_debugger_and_no_thread) {
  const told seen = trace([] {
    forkful::init(0, nullptr);
    forkful::process_pool pool{forkful::pool_options{.workers = 2, .start = forkful::start_method::forkserver}};
    return work(pool);
  });
  EXPECT_EQ(seen.status, 0);
  EXPECT_EQ(seen.processes, 1);
  EXPECT_EQ(seen.threads, 0);
}

TEST(traced, workers_are_processes_in_the_eyes_of_a_debugger) {
  const told seen = trace([] {
    forkful::process_pool pool{2};
    return work(pool);
  });
  EXPECT_EQ(seen.status, 0);
  EXPECT_EQ(seen.processes, 2);
  EXPECT_EQ(seen.threads, 0);
}

}  // namespace
