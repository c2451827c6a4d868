#include "os/clone.hpp"

#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

#include "os/identity.hpp"
#include "os/small_file.hpp"
#include "os/unshared.hpp"

namespace forkful::detail {

namespace {

// Whether a debugger or strace holds this process.
bool traced() noexcept {
  try {
    constexpr std::string_view key = "TracerPid:\t";
    const std::string status = read_small_file("/proc/self/status");
    const std::size_t at = status.find(key);
    return at != std::string::npos && status.compare(at + key.size(), 2, "0\n") != 0;
  } catch (...) {
    return false;  // no memory to look with
  }
}

}  // namespace

pid_t clone_process(relation to_this, std::atomic<pid_t>* born) noexcept {
  static_assert(sizeof(*born) == sizeof(pid_t) && std::atomic<pid_t>::is_always_lock_free);
  // The C library asks the kernel to clear this word when the thread ends: it is its copy of the thread id.
  int* thread_id = nullptr;
  if (::prctl(PR_GET_TID_ADDRESS, &thread_id) != 0 || thread_id == nullptr) {
    errno = ENOSYS;
    return -1;
  }
  void* robust = nullptr;
  std::size_t robust_bytes = 0;
  const bool has_robust = ::syscall(SYS_get_robust_list, 0, &robust, &robust_bytes) == 0 && robust != nullptr;

  unsigned long flags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
  if (born != nullptr) flags |= CLONE_PARENT_SETTID;
  if (to_this == relation::sibling) flags |= CLONE_PARENT;
  // The kernel reports a new process to a tracer only if that has the usual signal, and otherwise a new thread. A debugger would
  // take the process for one of the caller's threads, and leave its breakpoints in it.
  if (to_this == relation::child && traced()) flags |= SIGCHLD;
  // Architectures differ in which of the last two is the address for the thread id; the other one is not looked at.
  const long pid = ::syscall(SYS_clone, flags, nullptr, born, thread_id, thread_id);
  if (pid != 0) return static_cast<pid_t>(pid);

  if (has_robust) ::syscall(SYS_set_robust_list, robust, robust_bytes);
  forget_process();
  close_unshared();
  return 0;
}

}  // namespace forkful::detail
