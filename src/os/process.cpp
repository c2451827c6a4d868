#include "os/process.hpp"

#include <signal.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <forkful/errors.hpp>

#include "format/fmt.hpp"
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

unsigned thread_count() noexcept {
  struct stat tasks{};
  // A directory has a link from its parent, one from itself and one from each directory in it.
  if (::stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 2) return static_cast<unsigned>(tasks.st_nlink - 2);
  return __libc_single_threaded != 0 ? 1 : 0;
}

void leave(int status) noexcept { ::_exit(status); }

const char* way_out_of(int error) noexcept {
  switch (error) {
    case EMFILE:
      return "raise `ulimit -n` or use fewer workers: a pool needs 3 descriptors and 2 more a worker";
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
