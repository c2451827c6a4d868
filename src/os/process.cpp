#include "os/process.hpp"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "os/signals.hpp"
#include "os/streams.hpp"

namespace forkful::detail {

pid_t fork_flushed() {
  flush_output();
  // The caller's handlers are not for the child: a Ctrl-C that comes now waits until reset_signals() has decided.
  const sigset_t before = hold_signals();
  const pid_t pid = ::fork();
  const int error = errno;
  if (pid != 0) release_signals(before);
  errno = error;
  return pid;
}

void leave(int status) noexcept { ::_exit(status); }

}  // namespace forkful::detail
