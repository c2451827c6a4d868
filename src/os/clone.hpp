// Making a process past the C library's fork(): as a child or as a sibling, without a signal when it ends.
//
// fork() cannot do either. What it does besides clone(2), for a process of one thread, is done here: the new process's thread id
// is stored where the C library has it (recursive and robust mutexes compare it), the list of robust mutexes is announced
// again, descriptors that are the parent's alone are closed, and the process gets a mark of its own. pthread_atfork handlers
// of other libraries do not run, so only a process that has one thread, and had no other before, may be cloned so.
#pragma once

#include <sys/types.h>

#include <atomic>

namespace forkful::detail {

enum class relation {
  child,   // of this process, its end is reported by no signal (by SIGCHLD while a debugger traces this one)
  sibling  // of this process: child of the same parent, its end is reported as this one's is
};

// Returns 0 in the new process, its pid in this one, -1 with errno set on failure (ENOSYS: this kernel does not say
// where the thread id is stored). `born`, in shared memory, holds the pid before the new process runs: the process that
// it answers to can look there if it dies before it answers. Waiting for such a process takes __WALL; a wait for any
// child does not see it.
pid_t clone_process(relation, std::atomic<pid_t>* born) noexcept;

}  // namespace forkful::detail
