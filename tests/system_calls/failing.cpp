#include "system_calls/failing.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <new>

namespace forkful_tests {

namespace {

std::atomic<long> blocks{0};

// True, with errno set, if this call is to fail.
bool fails(call which) noexcept {
  failure_plan* const plan = the_plan;
  if (plan == nullptr || !plan->armed.load(std::memory_order_relaxed)) return false;
  if ((::getpid() != plan->parent) != plan->in_children) return false;
  plan->made[static_cast<std::size_t>(which)].fetch_add(1);
  if (which != plan->which) return false;
  const unsigned pass = plan->passes.fetch_add(1) + 1;
  if (plan->for_good ? pass < plan->pass : pass != plan->pass) return false;
  plan->failures.fetch_add(1);
  errno = plan->error;
  return true;
}

}  // namespace

long blocks_in_use() { return blocks.load(); }

}  // namespace forkful_tests

using forkful_tests::call;
using forkful_tests::fails;

void* operator new(std::size_t bytes) {
  void* const block = fails(call::allocate) ? nullptr : std::malloc(bytes != 0 ? bytes : 1);
  if (block == nullptr) throw std::bad_alloc{};
  forkful_tests::blocks.fetch_add(1);
  return block;
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t& /*no*/) noexcept {
  try {
    return operator new(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  forkful_tests::blocks.fetch_sub(1);
  std::free(block);
}
void operator delete[](void* block) noexcept { operator delete(block); }
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }
void operator delete[](void* block, std::size_t) noexcept { operator delete(block); }

// NOLINTBEGIN: the names are the linker's
extern "C" {

#define FORKFUL_WRAP(type, name, parameters, arguments, failed) \
  type __real_##name parameters;                                \
  type __wrap_##name parameters { return fails(call::name) ? failed : __real_##name arguments; }

FORKFUL_WRAP(int, dup2, (int from, int to), (from, to), -1)
FORKFUL_WRAP(int, execve, (const char* path, char* const* arguments, char* const* environment),
             (path, arguments, environment), -1)
FORKFUL_WRAP(int, pipe2, (int* ends, int flags), (ends, flags), -1)
FORKFUL_WRAP(int, setpgid, (pid_t process, pid_t group), (process, group), -1)
FORKFUL_WRAP(int, epoll_create1, (int flags), (flags), -1)
FORKFUL_WRAP(int, epoll_ctl, (int epoll, int what, int fd, epoll_event* event), (epoll, what, fd, event), -1)
FORKFUL_WRAP(int, epoll_wait, (int epoll, epoll_event* events, int most, int timeout), (epoll, events, most, timeout),
             -1)
FORKFUL_WRAP(int, timerfd_create, (int clock, int flags), (clock, flags), -1)
FORKFUL_WRAP(int, fallocate, (int fd, int mode, off_t offset, off_t bytes), (fd, mode, offset, bytes), -1)
FORKFUL_WRAP(pid_t, fork, (), (), -1)
FORKFUL_WRAP(int, fstat, (int fd, struct stat* about), (fd, about), -1)
FORKFUL_WRAP(int, stat, (const char* path, struct stat* about), (path, about), -1)
FORKFUL_WRAP(ssize_t, send, (int socket, const void* data, std::size_t bytes, int flags), (socket, data, bytes, flags),
             -1)
FORKFUL_WRAP(ssize_t, recv, (int socket, void* room, std::size_t bytes, int flags), (socket, room, bytes, flags), -1)
FORKFUL_WRAP(ssize_t, sendmsg, (int socket, const msghdr* message, int flags), (socket, message, flags), -1)
FORKFUL_WRAP(ssize_t, recvmsg, (int socket, msghdr* message, int flags), (socket, message, flags), -1)
FORKFUL_WRAP(int, sigaltstack, (const stack_t* now, stack_t* before), (now, before), -1)
FORKFUL_WRAP(int, ftruncate, (int fd, off_t bytes), (fd, bytes), -1)
FORKFUL_WRAP(int, gethostname, (char* name, std::size_t room), (name, room), -1)
FORKFUL_WRAP(int, getrlimit, (int which, rlimit* limit), (which, limit), -1)
FORKFUL_WRAP(int, madvise, (void* data, std::size_t bytes, int advice), (data, bytes, advice), -1)
FORKFUL_WRAP(int, memfd_create, (const char* name, unsigned flags), (name, flags), -1)
FORKFUL_WRAP(void*, mmap, (void* at, std::size_t bytes, int may, int flags, int fd, off_t offset),
             (at, bytes, may, flags, fd, offset), reinterpret_cast<void*>(-1))
FORKFUL_WRAP(int, munmap, (void* at, std::size_t bytes), (at, bytes), -1)
FORKFUL_WRAP(int, poll, (pollfd * polled, nfds_t count, int timeout), (polled, count, timeout), -1)
FORKFUL_WRAP(ssize_t, read, (int fd, void* room, std::size_t bytes), (fd, room, bytes), -1)
FORKFUL_WRAP(int, sched_getaffinity, (pid_t process, std::size_t bytes, void* set), (process, bytes, set), -1)
FORKFUL_WRAP(int, sched_setaffinity, (pid_t process, std::size_t bytes, const void* set), (process, bytes, set), -1)
FORKFUL_WRAP(int, hwloc_topology_init, (void** made), (made), -1)
FORKFUL_WRAP(int, hwloc_topology_load, (void* made), (made), -1)
FORKFUL_WRAP(int, setrlimit, (int which, const rlimit* limit), (which, limit), -1)
FORKFUL_WRAP(int, sigaction, (int signal, const struct sigaction* now, struct sigaction* before), (signal, now, before),
             -1)
FORKFUL_WRAP(int, sigprocmask, (int how, const sigset_t* now, sigset_t* before), (how, now, before), -1)
FORKFUL_WRAP(int, socketpair, (int domain, int type, int protocol, int* ends), (domain, type, protocol, ends), -1)
FORKFUL_WRAP(ssize_t, write, (int fd, const void* data, std::size_t bytes), (fd, data, bytes), -1)

// What fails with its errno as the result.
int __real_pthread_atfork(void (*before)(), void (*parent)(), void (*child)());
int __wrap_pthread_atfork(void (*before)(), void (*parent)(), void (*child)()) {
  return fails(call::pthread_atfork) ? errno : __real_pthread_atfork(before, parent, child);
}

int __real_pthread_create(pthread_t* thread, const pthread_attr_t* how, void* (*run)(void*), void* argument);
int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* how, void* (*run)(void*), void* argument) {
  return fails(call::pthread_create) ? errno : __real_pthread_create(thread, how, run, argument);
}

// Fails, and yet the descriptor is gone: that is how Linux does it.
int __real_close(int fd);
int __wrap_close(int fd) {
  const bool failed = fails(call::close);
  const int error = errno;
  const int result = __real_close(fd);
  if (!failed) return result;
  errno = error;
  return -1;
}

// ECHILD means that other code has taken the status: so it is taken here.
int __real_waitid(int kind, id_t who, siginfo_t* how, int options);
int __wrap_waitid(int kind, id_t who, siginfo_t* how, int options) {
  const bool failed = fails(call::waitid);
  const int error = errno;
  if (!failed) return __real_waitid(kind, who, how, options);
  if (error == ECHILD) __real_waitid(kind, who, how, options & ~WNOHANG);
  errno = error;
  return -1;
}

int __real_clone(int (*run)(void*), void* stack, int flags, void* argument, void* parent_number);
int __wrap_clone(int (*run)(void*), void* stack, int flags, void* argument, ...) {
  va_list rest;
  va_start(rest, argument);
  void* const parent_number = va_arg(rest, void*);
  va_end(rest);
  return fails(call::clone) ? -1 : __real_clone(run, stack, flags, argument, parent_number);
}

int __real_fcntl(int fd, int what, long argument);
int __wrap_fcntl(int fd, int what, ...) {
  va_list rest;
  va_start(rest, what);
  const long argument = va_arg(rest, long);
  va_end(rest);
  return fails(call::fcntl) ? -1 : __real_fcntl(fd, what, argument);
}

int __real_prctl(int what, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int __wrap_prctl(int what, ...) {
  va_list rest;
  va_start(rest, what);
  unsigned long a[4];
  for (unsigned long& each : a) each = va_arg(rest, unsigned long);
  va_end(rest);
  return fails(call::prctl) ? -1 : __real_prctl(what, a[0], a[1], a[2], a[3]);
}

int __real_open(const char* path, int flags, unsigned mode);
int __wrap_open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const unsigned mode = va_arg(rest, unsigned);
  va_end(rest);
  return fails(call::open) ? -1 : __real_open(path, flags, mode);
}

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
// It reads all six arguments, also where fewer were passed, as the C library does.
[[gnu::no_sanitize_address]] long __wrap_syscall(long number, ...) {
  va_list rest;
  va_start(rest, number);
  long a[6];
  for (long& each : a) each = va_arg(rest, long);
  va_end(rest);
  const auto which = [&] {
    switch (number) {
      case SYS_futex:  // a wake never fails, and what it woke depends on it
        return a[1] == FUTEX_WAIT ? call::futex : call::count;
      case SYS_pidfd_open:
        return call::pidfd_open;
      case SYS_pidfd_send_signal:
        return call::pidfd_send_signal;
      case SYS_timer_create:
        return call::timer_create;
      case SYS_timer_settime:
        return call::timer_settime;
      case SYS_clone:
      case SYS_clone3:
        return call::clone;
      default:
        return call::count;
    }
  }();
  const bool failed = which != call::count && fails(which);
  return failed ? -1 : __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

}  // extern "C"
// NOLINTEND
