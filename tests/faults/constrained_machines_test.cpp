// Machines that forbid or lack something: a seccomp filter, one CPU, no /dev, no /proc, a read-only /tmp, few processes.
// Pools work there, or say in one sentence what is missing. docs/protocol.md, 2, 10.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <forkful/forkful.hpp>
#include <iostream>
#include <string>

#include "faults/killing.hpp"
#include "faults/scarce.hpp"

namespace {

using namespace forkful_tests;
using testing::AllOf;
using testing::HasSubstr;

constexpr int cannot_test = 77;

struct how_it_went {
  int status;
  std::string said;
};

// Runs pools in a child that `constrain` has limited; that returns false where it could not.
template <class Constrain, class Body>
how_it_went in_poor_child(Constrain constrain, Body body) {
  const seen_by_all<sentence> said;
  const auto ended = in_child([&] {
    alarm(hang_seconds);
    if (!constrain()) return cannot_test;
    return told(body, *said);
  });
  return {WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : -WTERMSIG(ended.status), said->data()};
}

// From now on this system call fails, in this process and its children.
bool forbid(long call, int error) {
  std::array<sock_filter, 4> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{program.size(), program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

struct forbidden_call {
  const char* name;
  long number;
  bool needed;  // refused, and the sentence names it; else pools work without
};

TEST(constrained_machines, with_a_seccomp_filter_work_or_name_the_call) {
  unsigned refused = 0;
  unsigned without = 0;
  for (const forbidden_call& call : {
           forbidden_call{"pidfd_open", SYS_pidfd_open, false},
           forbidden_call{"memfd_create", SYS_memfd_create, true},
           forbidden_call{"ftruncate", SYS_ftruncate, true},
           forbidden_call{"socketpair", SYS_socketpair, true},
           forbidden_call{"epoll_create1", SYS_epoll_create1, true},
           forbidden_call{"fork", SYS_clone, true},
           forbidden_call{"pidfd_send_signal", SYS_pidfd_send_signal, false},
           forbidden_call{"madvise", SYS_madvise, false},
           forbidden_call{"sched_getaffinity", SYS_sched_getaffinity, false},
           forbidden_call{"sched_yield", SYS_sched_yield, false},
           forbidden_call{"timer_create", SYS_timer_create, false},
           forbidden_call{"sigaltstack", SYS_sigaltstack, false},
           forbidden_call{"uname", SYS_uname, false},
       }) {
    if (sanitized && call.number == SYS_sigaltstack) continue;  // AddressSanitizer itself insists on it
    for (const int error : {ENOSYS, EPERM}) {
      const auto went = in_poor_child([&] { return forbid(call.number, error); }, pools_work);
      if (went.status == cannot_test) GTEST_SKIP() << "this machine allows no seccomp filter";
      EXPECT_EQ(went.status, call.needed ? start_refused : worked) << call.name << ": " << went.said;
      if (call.needed) {
        EXPECT_THAT(went.said, AllOf(HasSubstr(call.name), HasSubstr("seccomp")));
        ++refused;
      } else {
        ++without;
      }
    }
  }
  EXPECT_EQ(refused, 10U);
  EXPECT_EQ(without, sanitized ? 14U : 16U);
}

// Valgrind before 3.20 is such a machine, too.
TEST(constrained_machines, without_pidfd_see_deaths_end_late_slices_and_leave_nothing) {
  for (const int error : {ENOSYS, EPERM}) {
    const auto went = in_poor_child(
        [&] { return forbid(SYS_pidfd_open, error); },
        [] {
          pid_t worker = 0;
          {
            process_pool pool{2};
            const auto died = pool.try_map(indices(20), [](std::size_t i) {
              if (i == 7) raise(SIGKILL);
              if (i == 11) _exit(3);
              return i;
            });
            for (std::size_t i = 0; i != died.size(); ++i) {
              if (died[i].has_value() != (i != 7 && i != 11)) return false;
            }
            if (died[11].failure().what.find("exit status 3") == std::string::npos) return false;
            const auto late =
                pool.with({.timeout = std::chrono::milliseconds(20)}).try_map(indices(4), [](std::size_t i) {
                  if (i == 1) pause();
                  return i;
                });
            if (late[1].has_value() || !late[0].has_value() || !late[3].has_value()) return false;
            auto endless = pool.submit([] { pause(); });
            while (!endless.cancel(forkful::kill)) {
            }
            worker = pool.map({0}, [](int) { return getpid(); })[0];
          }
          if (kill(worker, 0) == 0 || errno != ESRCH) return false;  // its status was taken, too
          return waitpid(-1, nullptr, __WALL) == -1 && errno == ECHILD;
        });
    if (went.status == cannot_test) GTEST_SKIP() << "this machine allows no seccomp filter";
    EXPECT_EQ(went.status, worked) << error << ": " << went.said;
  }
}

TEST(constrained_machines, with_one_cpu_work) {
  const auto went = in_poor_child(
      [] {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
        return sched_setaffinity(0, sizeof one, &one) == 0;
      },
      [] {
        process_pool pool;
        return pool.size() == 1 && count_run(pool) == 100 && pools_work();
      });
  EXPECT_EQ(went.status, worked) << went.said;
}

// As in a container with next to nothing.
TEST(constrained_machines, without_dev_or_proc_and_with_a_read_only_tmp_work) {
  for (const char* empty : {"/dev", "/tmp", "/proc", "/sys"}) {
    const auto went = in_poor_child(
        [&] {
          return unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                 mount("none", empty, "tmpfs", MS_RDONLY, "size=4k") == 0;
        },
        pools_work);
    if (went.status == cannot_test) GTEST_SKIP() << "needs a mount namespace of its own, which takes root";
    EXPECT_EQ(went.status, worked) << empty << ": " << went.said;
  }
}

TEST(constrained_machines, with_few_processes_name_the_limit) {
  if (sanitized) GTEST_SKIP() << "AddressSanitizer ends a program that may not have threads";
  const auto went = in_poor_child(
      [] {
        if (geteuid() == 0 && setuid(65534) != 0) return false;  // root may have any number
        const rlimit none{0, 0};
        return setrlimit(RLIMIT_NPROC, &none) == 0;
      },
      pools_work);
  if (went.status == cannot_test) GTEST_SKIP() << "needs another user";
  EXPECT_EQ(went.status, start_refused) << went.said;
  EXPECT_THAT(went.said, HasSubstr("ulimit -u"));
}

}  // namespace
