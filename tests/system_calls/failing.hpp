// System calls that fail when a test says so, and memory that runs out.
//
// The program is linked with --wrap for each of these functions, so that every call the library makes passes through
// failing.cpp first, in the parent and in its workers. Owns the plan, which all processes forked later share.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>

namespace forkful_tests {

// As the library's error messages spell them. The order is that of `names`.
enum class call : unsigned {
  allocate,  // operator new
  clone,
  close,
  dup2,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  execve,
  fallocate,
  fcntl,
  fork,
  fstat,
  ftruncate,
  futex,
  gethostname,
  getrlimit,
  hwloc_topology_init,
  hwloc_topology_load,
  madvise,
  memfd_create,
  mmap,
  munmap,
  open,
  pidfd_open,
  pidfd_send_signal,
  pipe2,
  poll,
  prctl,
  pthread_atfork,
  pthread_create,
  read,
  recv,
  recvmsg,
  sched_getaffinity,
  sched_setaffinity,
  send,
  sendmsg,
  setpgid,
  setrlimit,
  sigaction,
  sigaltstack,
  sigprocmask,
  socketpair,
  stat,
  timer_create,
  timer_settime,
  timerfd_create,
  waitid,
  write,
  count
};
constexpr auto calls = static_cast<std::size_t>(call::count);

inline const char* name_of(call which) {
  constexpr std::array<const char*, calls> names{"allocate",
                                                 "clone",
                                                 "close",
                                                 "dup2",
                                                 "epoll_create1",
                                                 "epoll_ctl",
                                                 "epoll_wait",
                                                 "execve",
                                                 "fallocate",
                                                 "fcntl",
                                                 "fork",
                                                 "fstat",
                                                 "ftruncate",
                                                 "futex",
                                                 "gethostname",
                                                 "getrlimit",
                                                 "hwloc_topology_init",
                                                 "hwloc_topology_load",
                                                 "madvise",
                                                 "memfd_create",
                                                 "mmap",
                                                 "munmap",
                                                 "open",
                                                 "pidfd_open",
                                                 "pidfd_send_signal",
                                                 "pipe2",
                                                 "poll",
                                                 "prctl",
                                                 "pthread_atfork",
                                                 "pthread_create",
                                                 "read",
                                                 "recv",
                                                 "recvmsg",
                                                 "sched_getaffinity",
                                                 "sched_setaffinity",
                                                 "send",
                                                 "sendmsg",
                                                 "setpgid",
                                                 "setrlimit",
                                                 "sigaction",
                                                 "sigaltstack",
                                                 "sigprocmask",
                                                 "socketpair",
                                                 "stat",
                                                 "timer_create",
                                                 "timer_settime",
                                                 "timerfd_create",
                                                 "waitid",
                                                 "write"};
  return names[static_cast<std::size_t>(which)];
}

// Which call fails, and how: the `pass`-th that is made by the parent (or, counted together, by all its children), and with
// `for_good` every one after that.
struct failure_plan {
  call which{};
  int error = 0;
  unsigned pass = 0;
  bool for_good = false;
  bool in_children = false;
  pid_t parent = 0;
  std::atomic<bool> armed{false};
  std::atomic<unsigned> passes{0};
  std::atomic<unsigned> failures{0};
  std::array<std::atomic<unsigned>, calls> made{};  // every call, while armed
};

// In shared memory; null: nothing ever fails.
inline failure_plan* the_plan = nullptr;

// Blocks of operator new that are not deleted yet, in this process.
long blocks_in_use();

}  // namespace forkful_tests
