// Workers from the template: what they see, how they are watched, and what is left when a process dies. docs/protocol.md, 18.
//
// This program called forkful::init. A test that needs a template of its own to kill, or other conditions at init, forks a
// child, which calls init for itself.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <forkful/forkful.hpp>
#include <iostream>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "crew/template.hpp"
#include "faults/killed_parents.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using forkful::start_method;
using forkful::worker_crashed;
using namespace forkful_tests;

process_pool forkserver_pool(unsigned workers) {
  return process_pool{forkful::pool_options{.workers = workers, .start = start_method::forkserver}};
}

bool template_is_well() {
  const auto* mine = forkful::detail::worker_template::here();
  return mine != nullptr && mine->trouble().empty();
}

// The template of a process that has no other child.
pid_t template_of_this_process() {
  const auto children = children_of(getpid());
  return children.size() == 1 ? children.front() : 0;
}

// It was made before any worker.
pid_t template_among_children() { return children_of(getpid()).front(); }

// Set in this process only, after init.
int set_later = 0;

TEST(template_workers, are_children_of_the_caller_and_see_the_program_as_it_was_at_init) {
  const watchdog bites;
  set_later = 7;
  auto pool = forkserver_pool(2);
  EXPECT_EQ(pool.size(), 2U);
  for (const auto& [parent, seen_here] : pool.with({.chunk = 1}).map(indices(20), [](std::size_t) {
         return std::pair(static_cast<int>(getppid()), set_later);
       })) {
    EXPECT_EQ(parent, getpid());
    EXPECT_EQ(seen_here, 0);
  }
  // Forked workers see what there is now; automatic means the template.
  process_pool forked{forkful::pool_options{.workers = 2, .start = start_method::fork}};
  EXPECT_EQ(forked.map(indices(1), [](std::size_t) { return set_later; })[0], 7);
  EXPECT_EQ(forkful::snapshot_pool{2}.map(indices(1), [](std::size_t) { return set_later; })[0], 7);
  EXPECT_EQ(process_pool{2}.map(indices(1), [](std::size_t) { return set_later; })[0], 0);
  EXPECT_TRUE(template_is_well());
}

TEST(template_workers, share_memory_made_after_init) {
  const watchdog bites;
  forkful::shared_vector<double> early(1000, 1.0);
  auto pool = forkserver_pool(3);
  forkful::shared_vector<double> late(100'000, 2.0);
  for (auto* table : {&early, &late}) pool.for_each(*table, [](double& x) { x += 1; });
  EXPECT_EQ(std::count(early.begin(), early.end(), 2.0), 1000);
  EXPECT_EQ(std::count(late.begin(), late.end(), 3.0), 100'000);
  const auto texts = pool.map(indices(500), [](std::size_t i) { return std::string(i, 'x'); });
  for (std::size_t i = 0; i != 500; ++i) ASSERT_EQ(texts[i].size(), i);
}

// A raw clone leaves the C library's copy of the thread id alone; forkful puts it right.
TEST(template_workers, are_what_the_c_library_takes_them_for) {
  const watchdog bites;
  auto pool = forkserver_pool(2);
  struct together {
    pthread_mutex_t robust;
    pthread_mutex_t checked;
  };
  forkful::shared_vector<std::max_align_t> room(sizeof(together) / sizeof(std::max_align_t) + 1);
  const auto both = [](std::span<const std::max_align_t> where) {
    return reinterpret_cast<together*>(const_cast<std::max_align_t*>(where.data()));
  };
  together& here = *both(room);
  pthread_mutexattr_t kind;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&here.checked, &kind);
  pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&here.robust, &kind);
  const std::span<const std::max_align_t> locks(room);

  // Each worker is itself: an error-checking mutex distinguishes a second lock by its owner from one by another thread.
  pthread_mutex_lock(&here.checked);
  const auto held_here = pool.map(
      indices(1),
      [](std::size_t, std::span<const std::max_align_t> where) {
        return pthread_mutex_trylock(&decltype(both){}(where)->checked);
      },
      locks);
  EXPECT_EQ(held_here[0], EBUSY);
  pthread_mutex_unlock(&here.checked);
  const auto held_twice = pool.map(
      indices(1),
      [](std::size_t, std::span<const std::max_align_t> where) {
        pthread_mutex_t& mutex = decltype(both){}(where)->checked;
        pthread_mutex_lock(&mutex);
        const int again = pthread_mutex_lock(&mutex);
        return std::pair(again, pthread_mutex_unlock(&mutex));
      },
      locks);
  EXPECT_EQ(held_twice[0], std::pair(EDEADLK, 0));

  // Dies with a robust mutex held: the next owner is informed.
  const auto died = pool.try_map(
      indices(1),
      [](std::size_t, std::span<const std::max_align_t> where) {
        pthread_mutex_lock(&decltype(both){}(where)->robust);
        return raise(SIGKILL);
      },
      locks);
  EXPECT_FALSE(died[0].has_value());
  EXPECT_EQ(pthread_mutex_lock(&here.robust), EOWNERDEAD);
  pthread_mutex_consistent(&here.robust);
  pthread_mutex_unlock(&here.robust);

  // abort() and raise() reach the worker, and only it.
  for (const int signal : {SIGABRT, SIGSEGV, SIGTERM}) {
    try {
      pool.for_each(
          indices(1),
          [](std::size_t, int which) {
            if (which == SIGABRT) std::abort();
            raise(which);
          },
          signal);
      ADD_FAILURE() << "no crash";
    } catch (const worker_crashed& crash) {
      EXPECT_EQ(crash.signal(), signal);
    }
  }
  EXPECT_EQ(pool.map(indices(1),
                     [](std::size_t) {
                       std::thread other([] { std::vector<char> some(1 << 20); });
                       other.join();
                       return std::system("exit 3");
                     })[0],
            3 << 8);
  EXPECT_TRUE(template_is_well());
}

TEST(template_workers, are_not_seen_by_a_wait_for_any_child_and_their_status_survives_an_ignored_sigchld) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    forkful::init(0, nullptr);
    signal(SIGCHLD, SIG_IGN);
    auto pool = forkserver_pool(2);
    if (waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) return 1;
    for (int round = 0; round != 20; ++round) {
      try {
        std::ignore = pool.map(indices(20), [](std::size_t i) { return i == 7 ? std::size_t(raise(SIGSEGV)) : i; });
        return 2;
      } catch (const worker_crashed& crash) {
        if (crash.slice() != 7 || crash.signal() != SIGSEGV) return 3;
      }
      if (waitpid(-1, nullptr, WNOHANG) != -1) return 4;
    }
    // The program's own children are waited for as ever.
    signal(SIGCHLD, SIG_DFL);
    const pid_t mine = start_child([] { return 5; });
    int status = 0;
    if (waitpid(-1, &status, 0) != mine || WEXITSTATUS(status) != 5) return 5;
    return template_is_well() ? 0 : 6;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(template_workers, print_nothing_twice_and_everything_before_the_call_returns) {
  const int file = memfd_create("printed", MFD_CLOEXEC);
  fcntl(file, F_SETFL, O_APPEND);
  const auto text = [file] {
    std::string all(static_cast<std::size_t>(lseek(file, 0, SEEK_END)), '\0');
    return pread(file, all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()) ? all : "unreadable";
  };
  const auto count = [](const std::string& all, const std::string& part) {
    std::size_t found = 0;
    for (auto at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) ++found;
    return found;
  };
  const auto ended = in_child([&] {
    alarm(hang_seconds);
    dup2(file, STDOUT_FILENO);
    std::setvbuf(stdout, nullptr, _IOFBF, 1 << 16);
    std::printf("[before init]");
    std::cout << "[by cout]";
    forkful::init(0, nullptr);
    std::printf("[before the pool]");
    auto pool = forkserver_pool(2);
    std::printf("[between]");
    pool.with({.chunk = 1}).for_each(indices(20), [](std::size_t i) { std::printf("[slice %zu]", i); });
    if (count(text(), "[slice") != 20) return 1;
    std::exit(0);
    return 2;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
  for (const char* once : {"[before init]", "[by cout]", "[before the pool]", "[between]", "[slice 0]", "[slice 19]"})
    EXPECT_EQ(count(text(), once), 1U) << text();
  EXPECT_LT(text().find("[before the pool]"), text().find("[slice"));
  close(file);
}

std::atomic<int>* ran = nullptr;

TEST(template_workers, have_the_signals_of_init_and_follow_the_caller_in_what_ends_it) {
  const seen_by_all<std::atomic<int>> counter;
  ran = &*counter;
  const auto ended = in_child([] {
    alarm(hang_seconds);
    setpgid(0, 0);
    for (const int each : {SIGINT, SIGUSR1}) std::signal(each, [](int) { ran->fetch_add(1); });
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR2);
    sigprocmask(SIG_BLOCK, &some, nullptr);
    forkful::init(0, nullptr);
    std::signal(SIGTERM, [](int) {});  // after init, as programs do
    auto early = forkserver_pool(2);
    kill(0, SIGINT);  // ^C
    kill(0, SIGTERM);
    kill(template_among_children(), SIGTERM);
    if (ran->exchange(0) != 1) return 102;  // the caller's own
    auto pool = forkserver_pool(2);
    int all = 0;
    for (const int odd : pool.with({.chunk = 1}).map(indices(8), [](std::size_t) {
           raise(SIGINT);
           raise(SIGTERM);
           int seen_here = 0;
           const int before = ran->load();
           raise(SIGUSR1);
           if (ran->load() == before) seen_here |= 1;
           sigset_t mask;
           sigprocmask(SIG_BLOCK, nullptr, &mask);
           for (int each = 1; each < 65; ++each)
             if ((sigismember(&mask, each) == 1) != (each == SIGUSR2)) seen_here |= 2;
           rlimit core{};
           getrlimit(RLIMIT_CORE, &core);
           if (core.rlim_cur != 0) seen_here |= 4;
           const int status = std::system("kill -INT $$; exit 5");
           if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)) seen_here |= 8;
           return seen_here;
         }))
      all |= odd;
    if (pool.report().deaths != 0 || early.map(indices(4), [](std::size_t i) { return i; }).size() != 4) return 100;
    if (early.report().deaths != 0) return 103;
    return template_is_well() ? all : 101;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(init, refuses_beside_other_threads_and_says_how_many) {
  const auto ended = in_child([] {
    std::atomic<bool> enough{false};
    std::thread one([&] { enough.wait(false); });
    std::thread two([&] { enough.wait(false); });
    std::string said;
    try {
      forkful::init(0, nullptr);
    } catch (const forkful::start_failed& refused) {
      said = refused.what();
    }
    enough = true;
    enough.notify_all();
    one.join();
    two.join();
    if (said.find("2 other threads run") == std::string::npos) return 1;
    if (!children_of(getpid()).empty()) return 2;
    forkful::init(0, nullptr);  // now it may
    return template_is_well() ? 0 : 3;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(init, does_nothing_the_second_time_and_in_workers) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    char name[] = "program";
    char* arguments[] = {name, nullptr};
    forkful::init(1, arguments);
    if (arguments[0] != name || std::string(name) != "program" || arguments[1] != nullptr) return 1;
    const pid_t first = template_of_this_process();
    std::thread other([] { forkful::init(0, nullptr); });  // threads may run by now
    other.join();
    forkful::init(1, arguments);
    if (first == 0 || template_of_this_process() != first) return 2;
    for (const auto start : {start_method::forkserver, start_method::fork}) {
      process_pool pool{forkful::pool_options{.workers = 2, .start = start}};
      for (const std::size_t children : pool.with({.chunk = 1}).map(indices(4), [](std::size_t) {
             forkful::init(0, nullptr);
             return children_of(getpid()).size();
           })) {
        if (children != 0) return 3;
      }
    }
    return 0;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(init, is_needed_in_the_very_process_that_asks_for_the_forkserver) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    try {
      forkserver_pool(2);
      return 1;
    } catch (const forkful::start_failed& refused) {
      if (std::string(refused.what()).find("forkful::init(argc, argv)") == std::string::npos) return 2;
    }
    // A worker's own pools are forked from the worker.
    forkful::init(0, nullptr);
    auto pool = forkserver_pool(2);
    for (const int parent_is_worker : pool.with({.chunk = 1}).map(indices(4), [](std::size_t) {
           process_pool inner{2};
           return inner.map(indices(1), [](std::size_t) { return getppid(); })[0] == getpid() ? 1 : 0;
         })) {
      if (parent_is_worker != 1) return 3;
    }
    return 0;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(init, leaves_nothing_that_a_program_would_notice) {
  const auto count_in_shell = [] { return WEXITSTATUS(std::system("exit $(ls /proc/self/fd | wc -l)")); };
  const seen_by_all<std::array<int, 3>> counts;
  const auto ended = in_child([&] {
    alarm(hang_seconds);
    (*counts)[0] = count_in_shell();
    forkful::init(0, nullptr);
    (*counts)[1] = count_in_shell();
    auto pool = forkserver_pool(2);
    (*counts)[2] = count_in_shell();
    if (pool.size() != 2) return 1;
    std::exit(0);  // with atexit handlers
    return 2;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
  EXPECT_GE((*counts)[0], 3);
  EXPECT_EQ((*counts)[0], (*counts)[1]);
  EXPECT_EQ((*counts)[0], (*counts)[2]);
}

// ---- The template dies ----

int set_since = 0;

TEST(template_killed, workers_are_forked_instead_and_running_ones_go_on) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    forkful::init(0, nullptr);
    const pid_t server = template_of_this_process();
    auto pool = forkserver_pool(2);
    if (server == 0) return 1;
    set_since = 7;
    kill(server, SIGKILL);
    const auto sees = [&](process_pool& which) {
      return which.map(indices(1), [](std::size_t) { return set_since; })[0];
    };
    if (sees(pool) != 0) return 2;
    if (pool.try_map(indices(1), [](std::size_t) { return raise(SIGKILL); })[0].has_value()) return 3;
    // Replacements are forked now; so are the workers of later pools.
    for (const pid_t worker : children_of(getpid())) {
      kill(worker, SIGKILL);
      if (!becomes_true([&] { return gone(worker); })) return 8;
    }
    if (sees(pool) != 7) return 4;
    auto later = forkserver_pool(2);
    if (sees(later) != 7) return 5;
    if (forkful::detail::worker_template::here()->trouble().find("has ended (signal 9)") == std::string::npos) return 6;
    return state_of(server) == '\0' ? 0 : 7;  // reaped
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// Between the clone and the answer: the worker lives, though no answer said so.
TEST(template_killed, right_after_it_cloned_a_worker_nobody_is_lost) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    const killer kills(point::template_cloned, 2);  // when it has cloned the second worker
    forkful::init(0, nullptr);
    auto pool = forkserver_pool(3);
    if (kills.kills() != 1) return 1;
    if (children_of(getpid()).size() != 3) return 2;
    const auto squares = pool.with({.chunk = 1}).map(indices(100), [](std::size_t i) { return i * i; });
    for (std::size_t i = 0; i != 100; ++i)
      if (squares[i] != i * i) return 3;
    return pool.report().deaths == 0 ? 0 : 4;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(template_killed, when_it_is_stopped_it_is_waited_for_in_vain_only_once) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    forkful::init(0, nullptr);
    const pid_t server = template_of_this_process();
    kill(server, SIGSTOP);
    for (int round = 0; round != 10; ++round) {
      auto pool = forkserver_pool(2);
      if (pool.map(indices(10), [](std::size_t i) { return i; }).size() != 10) return 1;
    }
    return state_of(server) == '\0' ? 0 : 2;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(template_killed, newborn_workers_that_die_are_replaced) {
  for (const point where : {point::fork_child, point::lifeline_armed}) {
    SCOPED_TRACE(name_of(where));
    const auto ended = in_child([&] {
      alarm(hang_seconds);
      const killer kills(where, 1, 4);
      forkful::init(0, nullptr);
      auto pool = forkserver_pool(2);
      if (pool.map(indices(50), [](std::size_t i) { return i; }).size() != 50) return 1;
      return kills.passes(where) >= 2 && template_is_well() ? 0 : 2;
    });
    EXPECT_TRUE(ended.exited_with(0)) << ended.status;
  }
}

// ---- The parent dies ----

class killed_parents_with_a_template : public killed_parents {
 protected:
  static void enter_children() {
    for (const pid_t each : children_of(getpid())) seen->enter(each);
  }
};

TEST_F(killed_parents_with_a_template, take_busy_workers_and_the_template_with_them) {
  for (unsigned i = 0; i != times(50); ++i) {
    round(3, [] {
      forkful::init(0, nullptr);
      seen->enter(template_of_this_process());
      forkserver_pool(2).with({.chunk = 1}).for_each(indices(2), [](std::size_t) {
        seen->enter(getpid());
        if (seen->entries.load() >= 3) seen->ready = true;
        for (;;)
          if (seen->stop.load(std::memory_order_relaxed)) _exit(9);
      });
    });
  }
  tell("busy, from the template");
}

TEST_F(killed_parents_with_a_template, take_a_stopped_template_and_idle_workers_with_them) {
  for (unsigned i = 0; i != times(20); ++i) {
    round(3, [] {
      forkful::init(0, nullptr);
      const pid_t server = template_of_this_process();
      auto pool = forkserver_pool(2);
      kill(server, SIGSTOP);
      enter_children();
      seen->ready = true;
      for (;;) pause();
    });
  }
  tell("idle, template stopped");
}

TEST_F(killed_parents_with_a_template, take_them_with_them_though_a_child_of_the_users_lives_on) {
  for (unsigned i = 0; i != times(20); ++i) {
    const seen_by_all<std::atomic<pid_t>> bystander;
    round(3, [&] {
      forkful::init(0, nullptr);
      auto pool = forkserver_pool(2);
      enter_children();
      *bystander = start_child([] {
        for (;;) pause();
        return 0;
      });
      seen->ready = true;
      for (;;) pause();
    });
    ASSERT_FALSE(gone(bystander->load()));
    kill(bystander->load(), SIGKILL);
    ASSERT_TRUE(wait_for(bystander->load()).killed_by(SIGKILL));
  }
  tell("from the template, with a bystander");
}

// ---- Leaks ----

// Once it waits for the next request: after an answer it still has to close what the request brought.
std::vector<std::string> descriptors_of_template(pid_t server) {
  EXPECT_TRUE(becomes_true([&] { return state_of(server) == 'S'; }));
  return names_in("/proc/" + std::to_string(server) + "/fd");
}

TEST(template_leaks, a_thousand_pools_leave_nothing_behind) {
  const watchdog bites;
  const std::size_t pools = times(1000);
  std::size_t crashes = 0;
  std::size_t results = 0;
  const auto one_pool = [&](std::size_t turn) {
    auto pool = forkserver_pool(1 + static_cast<unsigned>(turn % 3));
    if (turn % 4 == 1) results += pool.map(indices(20), [](std::size_t i) { return std::string(i, 'x'); }).size();
    if (turn % 4 != 2) return;
    crashes +=
        pool.try_map(indices(20), [](std::size_t i) { return i == 9 ? raise(SIGKILL) : 0; })[9].has_value() ? 0 : 1;
  };
  for (std::size_t turn = 0; turn != 20; ++turn) one_pool(turn);
  const auto descriptors = names_in("/proc/self/fd");
  const auto children = children_of(getpid());
  ASSERT_EQ(children.size(), 1U);
  const auto of_template = descriptors_of_template(children.front());
  for (std::size_t turn = 0; turn != pools; ++turn) one_pool(turn);
  EXPECT_EQ(names_in("/proc/self/fd"), descriptors);
  EXPECT_EQ(children_of(getpid()), children);
  EXPECT_EQ(descriptors_of_template(children.front()), of_template);
  EXPECT_EQ(crashes, (pools + 20) / 4);
  EXPECT_EQ(results, (pools + 20) / 4 * 20);
  EXPECT_TRUE(template_is_well());
}

// A worker has what the program had open at init, its lifeline and the parent's bell: nothing of the template's.
TEST(template_leaks, workers_hold_no_descriptor_of_the_template) {
  const watchdog bites;
  const std::string of_template = "/proc/" + std::to_string(children_of(getpid()).front()) + "/fd";
  auto pool = forkserver_pool(2);
  // Two of its own for two of the template's, which may not have closed yet what it sent along. Both have shared memory's, which
  // is not counted here.
  for (const std::size_t open : pool.with({.chunk = 1}).map(indices(4), [](std::size_t) { return open_descriptors(); }))
    EXPECT_TRUE(becomes_true([&] { return names_in(of_template).size() == open + 1; })) << open;
}

// ---- OpenMP in the parent before, and in the slices ----

#ifdef _OPENMP
std::size_t sum_in_parallel(std::size_t count) {
  std::size_t sum = 0;
#pragma omp parallel for reduction(+ : sum) num_threads(3)
  for (std::size_t i = 0; i < count; ++i) sum += i;
  return sum;
}

// Forked after the first line of this test, workers hang in theirs.
TEST(template_workers, use_openmp_after_their_parent_did) {
  const watchdog bites;
  ASSERT_EQ(sum_in_parallel(1000), 499'500U);
  ASSERT_GE(names_in("/proc/self/task").size(), 3U);
  auto pool = forkserver_pool(2);
  const auto sums = pool.with({.chunk = 1}).map(indices(20), [](std::size_t i) {
    const std::size_t threads_before = names_in("/proc/self/task").size();
    const std::size_t sum = sum_in_parallel(i * 100 + 1);
    return std::tuple(sum, threads_before, names_in("/proc/self/task").size());
  });
  ASSERT_EQ(sums.size(), 20U);
  for (std::size_t i = 0; i != 20; ++i) {
    EXPECT_EQ(std::get<0>(sums[i]), i * 100 * (i * 100 + 1) / 2);
    EXPECT_EQ(std::get<2>(sums[i]), 3U);  // it was parallel there too
  }
  EXPECT_EQ(sum_in_parallel(1000), 499'500U);
}
#endif

}  // namespace
