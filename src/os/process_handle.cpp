#include "os/process_handle.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "os/limits.hpp"

namespace forkful::detail {

namespace {

constexpr int look_ms = 1;

enum class found { running, ended, taken };

// Looks for a child that has ended, or waits for that. What `options` leave it in is up to them (WNOWAIT).
found look_for(pid_t child, int options, siginfo_t& info) noexcept {
  int result = 0;
  do {
    info = {};
    result = ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | __WALL | options);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return found::taken;
  return info.si_pid == 0 ? found::running : found::ended;
}

}  // namespace

process_handle process_handle::watch(pid_t child) noexcept {
  // Valgrind has much to say of a call it does not know, each time.
  static std::atomic<bool> refused_by_valgrind{false};
  process_handle made;
  bool never = refused_by_valgrind.load(std::memory_order_relaxed);
  if (!never) {
    made.pidfd_ = open_pidfd(child);
    never = !made.pidfd_.valid() && (errno == ENOSYS || errno == EPERM);
    if (never && under_valgrind()) refused_by_valgrind.store(true, std::memory_order_relaxed);
  }
  if (made.pidfd_.valid() || never) made.child_ = child;
  return made;
}

bool process_handle::has_ended(pid_t child) noexcept {
  siginfo_t info;
  return look_for(child, WNOWAIT | WNOHANG, info) != found::running;
}

bool process_handle::ended(int milliseconds) const noexcept {
  if (pidfd_.valid()) return wait_ended(pidfd_, milliseconds);
  siginfo_t info;
  if (milliseconds < 0) return look_for(child_, WNOWAIT, info) != found::running;
  while (!has_ended(child_)) {
    if (milliseconds <= 0) return false;
    const int nap = std::min(milliseconds, look_ms);
    ::poll(nullptr, 0, nap);
    milliseconds -= nap;
  }
  return true;
}

std::optional<ending> process_handle::reap() const noexcept {
  if (pidfd_.valid()) return detail::reap(pidfd_);
  siginfo_t info;
  const found what = look_for(child_, WNOHANG, info);
  if (what == found::running) return std::nullopt;
  ending end;
  if (what == found::taken) return end;
  if (info.si_code == CLD_EXITED) {
    end.exit_status = info.si_status;
  } else {
    end.signal = info.si_status;
  }
  return end;
}

bool process_handle::kill() const noexcept {
  if (pidfd_.valid()) {
    kill_process(pidfd_);
    return true;
  }
  // Known as a running child, its number is its own. To be a stranger's a moment later, it would have to end, lose its status to
  // somebody else and see all numbers of the machine given away.
  return !has_ended(child_) && ::syscall(SYS_kill, child_, SIGKILL) == 0;
}

void process_handle::reset() noexcept {
  pidfd_.reset();
  child_ = -1;
}

}  // namespace forkful::detail
