#include "os/process.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <forkful/errors.hpp>

#include "os/signals.hpp"
#include "os/streams.hpp"

namespace forkful::detail {

pid_t fork_flushed() {
  flush_output();
  // The caller's handlers are not for the child: a Ctrl-C that comes now waits until settle_signals() has decided.
  const sigset_t before = hold_signals();
  const pid_t pid = ::fork();
  const int error = errno;
  if (pid != 0) release_signals(before);
  errno = error;
  return pid;
}

fd open_pidfd(pid_t process) noexcept { return fd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0))); }

int pidfd_error() noexcept { return open_pidfd(::getpid()).valid() ? 0 : errno; }

std::optional<ending> reap(const fd& pidfd) noexcept {
  siginfo_t info{};
  int result = 0;
  do {
    result = ::waitid(static_cast<idtype_t>(3) /* P_PIDFD, missing in older headers */,
                      static_cast<id_t>(pidfd.number()), &info, WEXITED | WNOHANG | __WALL);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return wait_ended(pidfd, 0) ? std::optional(ending{}) : std::nullopt;
  if (info.si_pid == 0) return std::nullopt;
  ending end;
  if (info.si_code == CLD_EXITED) {
    end.exit_status = info.si_status;
  } else {
    end.signal = info.si_status;
  }
  return end;
}

void reap_unwatched(pid_t process) noexcept {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | __WALL) != 0 && errno == EINTR) {
  }
}

bool wait_ended(const fd& pidfd, int milliseconds) noexcept {
  pollfd poll_for{pidfd.number(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&poll_for, 1, milliseconds);
  } while (ready < 0 && errno == EINTR);
  if (ready >= 0) return ready > 0;
  // No memory to poll with: ask otherwise. A process taken for ended while it runs would write into what another was given.
  siginfo_t info{};
  int result = 0;
  do {
    result = ::waitid(static_cast<idtype_t>(3), static_cast<id_t>(pidfd.number()), &info,
                      WEXITED | WNOWAIT | __WALL | (milliseconds < 0 ? 0 : WNOHANG));
  } while (result != 0 && errno == EINTR);
  return result == 0 ? info.si_pid != 0 : errno == ECHILD;
}

void kill_process(const fd& pidfd) noexcept { ::syscall(SYS_pidfd_send_signal, pidfd.number(), SIGKILL, nullptr, 0); }

unsigned thread_count() noexcept {
  struct stat tasks{};
  // A directory has a link from its parent, one from itself and one from each directory in it.
  if (::stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 2) return static_cast<unsigned>(tasks.st_nlink - 2);
  return __libc_single_threaded != 0 ? 1 : 0;
}

void close_descriptor(int number) noexcept { ::close(number); }

void leave(int status) noexcept { ::_exit(status); }

const char* way_out_of(int error) noexcept {
  switch (error) {
    case EMFILE:
      return "raise `ulimit -n` or use fewer workers: a pool needs 2 descriptors and 2 more a worker";
    case ENFILE:
      return "the whole machine is out of file descriptors: raise fs.file-max";
    case EAGAIN:
      return "raise `ulimit -u` (or the cgroup's pids.max) or use fewer workers";
    case ENOMEM:
      return "free memory, raise the memory limit or use fewer workers";
    case ENOSYS:
    case EPERM:
      return "Linux 5.10 or later is needed, and a seccomp filter that allows this call";
    default:
      return "see `ulimit -a` and the machine's limits";
  }
}

void throw_start_failed(const char* call, int error) {
  throw start_failed(
      fmt::format("the pool could not start: {} failed: {}; {}", call, std::strerror(error), way_out_of(error)));
}

}  // namespace forkful::detail
