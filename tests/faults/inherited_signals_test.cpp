// What the caller has decided about signals holds in its workers, unless it must not: docs/protocol.md, 17, and the table in
// docs/inheritance.md. Each test runs in a child, whose signals are its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <forkful/forkful.hpp>
#include <string>
#include <tuple>

#include "faults/killing.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using forkful::snapshot_pool;
using namespace forkful_tests;

void on(int signal, void (*handler)(int)) { std::signal(signal, handler); }

process_pool forked_pool(unsigned workers) {
  return process_pool{forkful::pool_options{.workers = workers, .start = forkful::start_method::fork}};
}

std::atomic<int>* handled = nullptr;
void count(int /*signal*/) { handled->fetch_add(1); }

// ---- Faults that the program lives on ----

constexpr std::size_t page = 4096;
constexpr std::size_t pages = 64;
char* lazy = nullptr;

void make_lazy_memory() {
  lazy = static_cast<char*>(mmap(nullptr, pages * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

// Fills pages when they are touched; all other faults are not for it.
void serve(int signal, siginfo_t* info, void* /*context*/) {
  char* const at = static_cast<char*>(info->si_addr);
  if (at < lazy || at >= lazy + pages * page) {
    on(signal, SIG_DFL);
    return;
  }
  char* const begin = lazy + static_cast<std::size_t>(at - lazy) / page * page;
  mprotect(begin, page, PROT_READ | PROT_WRITE);
  std::memset(begin, 7, page);
}

void serve_lazy_memory() {
  struct sigaction action{};
  action.sa_sigaction = serve;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, nullptr);
}

template <class Pool>
int serves_all(Pool& pool) {
  const auto seen = pool.with({.chunk = 1}).map(indices(pages), [](std::size_t i) { return int(lazy[i * page]); });
  return std::count(seen.begin(), seen.end(), 7) == std::ptrdiff_t(pages) && pool.report().deaths == 0 ? 0 : 1;
}

TEST(inherited_signals, a_handler_that_lives_on_faults_does_so_in_workers) {
  EXPECT_TRUE(in_child([] {
                alarm(hang_seconds);
                make_lazy_memory();
                serve_lazy_memory();
                snapshot_pool photo{2};
                auto copies = forked_pool(2);
                return 10 * serves_all(photo) + serves_all(copies);
              }).exited_with(0));
}

TEST(inherited_signals, a_handler_that_lives_on_faults_does_so_in_workers_of_workers) {
  EXPECT_TRUE(in_child([] {
                alarm(hang_seconds);
                make_lazy_memory();
                serve_lazy_memory();
                auto outer = forked_pool(1);
                return outer.map(indices(1), [](std::size_t) {
                  auto inner = forked_pool(2);
                  return serves_all(inner);
                })[0];
              }).exited_with(0));
}

// UBSan would report the null pointer and exit.
[[gnu::noinline, gnu::no_sanitize("undefined")]] int touch_what_is_not_there(char* nothing) {
  *nothing = 1;
  return 0;
}

void decide_with_siginfo(int signal, void (*what)(int)) {
  struct sigaction action{};
  action.sa_handler = what;
  action.sa_flags = SA_SIGINFO;
  sigaction(signal, &action, nullptr);
}

bool in_force(int signal, void (*what)(int)) {
  struct sigaction action{};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == what;
}

// A program that sets the flags for a handler and then installs none.
TEST(inherited_signals, what_is_no_handler_is_none_whatever_its_flags_say) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    for (const int usual : {SIGABRT, SIGSEGV, SIGTSTP, SIGWINCH}) decide_with_siginfo(usual, SIG_DFL);
    for (const int ignored : {SIGTRAP, SIGINT, SIGCHLD}) decide_with_siginfo(ignored, SIG_IGN);
    auto pool = forked_pool(1);
    const auto outcomes = pool.with({.chunk = 1}).try_map(indices(3), [](std::size_t i) {
      if (i == 1) std::abort();
      if (i == 2) raise(SIGTRAP);
      return in_force(SIGTSTP, SIG_DFL) && in_force(SIGWINCH, SIG_DFL) && in_force(SIGINT, SIG_IGN) &&
             in_force(SIGCHLD, SIG_IGN);
    });
    if (!outcomes[0].value()) return 1;
    if (outcomes[1].has_value() || outcomes[1].failure().signal != SIGABRT) return 2;
    if (outcomes[1].failure().frames.empty()) return 3;
    return outcomes[2].has_value() ? 0 : 4;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// The program's own handler comes first; when it gives up, the crash is noted like any other.
TEST(inherited_signals, a_handler_that_gives_up_leaves_the_crash_to_be_told) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    make_lazy_memory();
    serve_lazy_memory();
    auto pool = forked_pool(2);
    const auto outcomes = pool.with({.chunk = 1}).try_map(indices(6), [](std::size_t i) {
      static char* volatile nothing = nullptr;
      return i == 3 ? touch_what_is_not_there(nothing) : int(lazy[i * page]);
    });
    for (std::size_t i = 0; i != 6; ++i)
      if (outcomes[i].has_value() == (i == 3)) return 1;
    const forkful::slice_failure& crash = outcomes[3].failure();
    if (crash.signal != SIGSEGV) return 2;
    return crash.what.find("touch_what_is_not_there") != std::string::npos ? 0 : 3;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// A thread that blocks everything still says where it crashes.
TEST(inherited_signals, a_crash_is_told_where_the_caller_had_blocked_its_signal) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    auto pool = forked_pool(1);
    const auto outcomes = pool.try_map(indices(1), [](std::size_t) {
      static char* volatile nothing = nullptr;
      return touch_what_is_not_there(nothing);
    });
    return outcomes[0].failure().what.find("touch_what_is_not_there") != std::string::npos ? 0 : 1;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// ---- What is the program's own business ----

TEST(inherited_signals, handlers_that_slices_use_and_blocked_signals_stay) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    static volatile sig_atomic_t seen = 0;
    on(SIGPIPE, [](int) {});
    on(SIGUSR1, [](int) { seen = seen + 1; });
    on(SIGRTMIN + 3, [](int) { seen = seen + 10; });
    on(SIGUSR2, SIG_IGN);
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGALRM);
    sigprocmask(SIG_BLOCK, &some, nullptr);
    const auto look = [](std::size_t) {
      int ends[2];
      if (pipe(ends) != 0) return 1;
      close(ends[0]);
      const bool told = write(ends[1], "x", 1) < 0 && errno == EPIPE;
      close(ends[1]);
      if (!told) return 2;
      seen = 0;
      raise(SIGUSR1);
      raise(SIGRTMIN + 3);
      raise(SIGUSR2);
      if (seen != 11) return 3;
      sigset_t mask;
      sigprocmask(SIG_BLOCK, nullptr, &mask);
      return sigismember(&mask, SIGALRM) == 1 && sigismember(&mask, SIGUSR1) == 0 ? 0 : 4;
    };
    auto copies = forked_pool(2);
    for (const int wrong : copies.with({.chunk = 1}).map(indices(4), look))
      if (wrong != 0) return wrong;
    snapshot_pool photo{2};
    for (const int wrong : photo.with({.chunk = 1}).map(indices(4), look))
      if (wrong != 0) return 10 + wrong;
    return 0;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(inherited_signals, an_ignored_interrupt_stays_ignored_in_programs_that_slices_run) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    on(SIGINT, SIG_IGN);
    auto pool = forked_pool(2);
    for (const int status : pool.map(indices(4), [](std::size_t) {
           raise(SIGINT);
           return std::system("kill -INT $$; exit 5");
         }))
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 5) return 1;
    return 0;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// It would wake the caller's event loop, or take statuses that slices wait for.
TEST(inherited_signals, the_callers_handler_for_children_does_not_run_in_workers) {
  const seen_by_all<std::atomic<int>> counter;
  handled = &*counter;
  const auto ended = in_child([] {
    alarm(hang_seconds);
    on(SIGCHLD, count);
    const pid_t caller = getpid();
    auto pool = forked_pool(2);
    for (const int status : pool.map(indices(4), [](std::size_t) { return std::system("exit 5"); }))
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 5) return 1;
    if (handled->load() != 0) return 2;
    kill(caller, SIGCHLD);
    return handled->load() == 1 ? 0 : 3;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// ---- Signals that are to end the program ----

constexpr int endings[] = {SIGTERM, SIGHUP, SIGQUIT};

enum class decides { before, after, by_ignoring, by_blocking };

// Every slice sends all of them to the whole group, while the pool works.
int lives_on(decides when) {
  alarm(hang_seconds);
  setpgid(0, 0);
  const auto decide = [&] {
    for (const int each : endings) {
      if (when == decides::by_blocking) {
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, each);
        sigprocmask(SIG_BLOCK, &one, nullptr);
      } else {
        on(each, when == decides::by_ignoring ? SIG_IGN : count);
      }
    }
  };
  if (when == decides::before) decide();
  auto pool = forked_pool(2);
  snapshot_pool photo{2};
  if (pool.map({1}, [](int x) { return x; }).size() != 1) return 1;
  if (when != decides::before) decide();
  const auto run_slice = [](std::size_t i) {
    for (const int each : endings) kill(0, each);
    return i;
  };
  if (pool.with({.chunk = 1}).map(indices(20), run_slice).size() != 20 || pool.report().deaths != 0) return 2;
  if (photo.with({.chunk = 1}).map(indices(20), run_slice).size() != 20 || photo.report().deaths != 0) return 3;
  return 0;
}

TEST(inherited_signals, what_does_not_end_the_caller_does_not_end_its_workers) {
  for (const decides when : {decides::before, decides::after, decides::by_ignoring, decides::by_blocking}) {
    const seen_by_all<std::atomic<int>> counter;
    handled = &*counter;
    const auto ended = in_child([&] { return lives_on(when); });
    EXPECT_TRUE(ended.exited_with(0)) << static_cast<int>(when) << ": " << ended.status;
  }
}

TEST(inherited_signals, the_callers_handler_for_its_end_does_not_run_in_workers) {
  const seen_by_all<std::atomic<int>> counter;
  handled = &*counter;
  const auto ended = in_child([] {
    alarm(hang_seconds);
    for (const int each : endings) on(each, count);
    auto pool = forked_pool(2);
    std::ignore = pool.with({.chunk = 1}).map(indices(10), [](std::size_t i) {
      for (const int each : endings) raise(each);
      return i;
    });
    return pool.report().deaths == 0 ? handled->load() : 100;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(inherited_signals, what_would_end_the_caller_ends_a_worker_and_is_told) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    for (const int each : endings) {
      on(each, SIG_DFL);
      auto pool = forked_pool(2);
      const auto outcomes =
          pool.with({.chunk = 1})
              .try_map(indices(5), [](std::size_t i, int signal) { return i == 2 ? raise(signal) : 0; }, each);
      if (outcomes[2].has_value() || outcomes[2].failure().signal != each || pool.report().deaths != 1) return each;
    }
    return 0;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// A helper that a slice starts ends as usual: it is no worker.
TEST(inherited_signals, what_a_slice_forks_can_be_ended) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    on(SIGTERM, count);
    auto pool = forked_pool(1);
    return pool.map(indices(1), [](std::size_t) {
      const pid_t helper = fork();
      if (helper == 0)
        for (;;) pause();
      kill(helper, SIGTERM);
      int status = 0;
      waitpid(helper, &status, 0);
      return WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? 0 : 1;
    })[0];
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

}  // namespace
