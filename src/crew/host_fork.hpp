// A fork or clone for a pool, with what the program around forkful does round it (forkful/detail/host.hpp).
#pragma once

#include <sys/types.h>

#include <cerrno>
#include <forkful/detail/host.hpp>

namespace forkful::detail {

// `fork` returns as ::fork does, which this returns too, with its errno. `child` runs in the new process and does not return.
template <class Fork, class Child>
pid_t fork_within(const host* around, Fork fork, Child child) noexcept {
  if (around != nullptr && around->before_fork != nullptr) around->before_fork(around->self);
  const pid_t pid = fork();
  const int error = errno;
  if (around != nullptr && around->after_fork != nullptr) around->after_fork(around->self, pid == 0);
  if (pid == 0) child();
  errno = error;
  return pid;
}

}  // namespace forkful::detail
