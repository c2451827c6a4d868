#include "os/child.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>

#include "os/breakpoint.hpp"
#include "os/cpu.hpp"
#include "os/limits.hpp"
#include "os/readiness.hpp"

namespace forkful::detail {

namespace {

constexpr auto by_descriptor = static_cast<idtype_t>(3);  // P_PIDFD, missing in older headers

// waitid, repeated when interrupted. Returns what it returned.
int wait_status(idtype_t kind, int who, siginfo_t& info, int options) noexcept {
  int result = 0;
  do {
    info = {};
    result = ::waitid(kind, static_cast<id_t>(who), &info, options | WEXITED | __WALL);
  } while (result != 0 && errno == EINTR);
  return result;
}

}  // namespace

child::child(pid_t pid) noexcept : pid_(pid) {
  // Valgrind prints much about a call that it does not know, each time.
  static std::atomic<bool> refused_by_valgrind{false};
  if (refused_by_valgrind.load(std::memory_order_relaxed)) return;
  end_ = fd::moved_high(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (end_.valid()) return;
  if (errno != ENOSYS && errno != EPERM) pid_ = -1;
  if (under_valgrind()) refused_by_valgrind.store(true, std::memory_order_relaxed);
}

bool child::lost() const noexcept {
  if (!end_.valid()) return false;
  breakpoint(point::end_looked_for);
  return !end_.intact();
}

bool child::kill() const noexcept {
  if (end_.valid()) {
    return end_.intact() && ::syscall(SYS_pidfd_send_signal, end_.number(), SIGKILL, nullptr, 0) == 0;
  }
  // It is known as a running child, so its number is its own. To be another process's a moment later, it would have to
  // end, lose its status to the program, and all numbers of the machine would have to be used up.
  return !has_ended(pid_) && ::syscall(SYS_kill, pid_, SIGKILL) == 0;
}

bool child::has_ended(pid_t pid) noexcept {
  siginfo_t info{};
  return wait_status(P_PID, pid, info, WNOWAIT | WNOHANG) != 0 || info.si_pid != 0;
}

bool child::ended(int milliseconds) const noexcept {
  if (!end_.intact()) return ended_by_number(milliseconds);
  const readiness there = wait_readable(end_.number(), milliseconds);
  if (there != readiness::refused) return there == readiness::ready;
  // Ask otherwise: a process taken for ended while it runs would write into what another process was given.
  if (!end_.intact()) return ended_by_number(milliseconds);
  siginfo_t info{};
  const int result = wait_status(by_descriptor, end_.number(), info, WNOWAIT | (milliseconds < 0 ? 0 : WNOHANG));
  return result == 0 ? info.si_pid != 0 : errno == ECHILD;
}

bool child::ended_by_number(int milliseconds) const noexcept {
  constexpr int look_each_ms = 1;
  if (milliseconds < 0) {
    siginfo_t info{};
    wait_status(P_PID, pid_, info, WNOWAIT);
    return true;
  }
  const std::uint64_t until = now_ns() + static_cast<std::uint64_t>(milliseconds) * 1'000'000;
  while (!has_ended(pid_)) {
    if (now_ns() >= until) return false;
    ::poll(nullptr, 0, look_each_ms);
  }
  return true;
}

std::optional<ending> child::reap() const noexcept {
  siginfo_t info{};
  const bool known = end_.intact();
  if (wait_status(known ? by_descriptor : P_PID, known ? end_.number() : pid_, info, WNOHANG) != 0) {
    return ended(0) ? std::optional(ending{}) : std::nullopt;
  }
  if (info.si_pid == 0) return std::nullopt;
  ending end;
  if (info.si_code == CLD_EXITED) {
    end.exit_status = info.si_status;
  } else {
    end.signal = info.si_status;
  }
  return end;
}

int child_error() noexcept {
  return fd(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0))).valid() ? 0 : errno;
}

void reap_unwatched(pid_t process) noexcept {
  siginfo_t info{};
  wait_status(P_PID, process, info, 0);
}

}  // namespace forkful::detail
