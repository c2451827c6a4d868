#include "os/signals.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace forkful::detail {

namespace {

enum class rule {
  stays,         // whatever the caller decided
  no_effect,     // unless it is ignored
  asks,          // ends this process if it would end the caller now
  not_for_us,    // a handler is for the caller only: none of its effects here
  back_to_usual  // likewise, and what the system does by default is harmless
};

constexpr rule rule_of(int signal) noexcept {
  switch (signal) {
    // Sent by terminals and service managers to all processes of a program, to end it. Whether it ends is the caller's
    // decision, and its handler must not run in each worker as well: it removes pid files, and writes to pipes that the
    // worker shares with it.
    case SIGTERM:
    case SIGHUP:
    case SIGQUIT:
      return rule::asks;
    case SIGINT:
      return rule::no_effect;
    case SIGTSTP:
      return rule::not_for_us;
    // Handlers of these draw on the terminal, or report to an event loop processes that it has not started.
    case SIGCHLD:
    case SIGCONT:
    case SIGWINCH:
      return rule::back_to_usual;
    default:
      return rule::stays;
  }
}

// When they are blocked, a fault of the code itself kills all the same, but no handler runs.
constexpr std::array crashes{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};

thread_local sigset_t before_fork{};  // of the thread that forks, which is the one its child has

// Written before the mask is opened.
pid_t reset_process = 0;
sigset_t decided_at_start{};  // signals that did not end the caller when this process was forked

// Both are no handlers with SA_SIGINFO either.
bool is_default(const struct sigaction& action) noexcept { return action.sa_handler == SIG_DFL; }
bool is_ignored(const struct sigaction& action) noexcept { return action.sa_handler == SIG_IGN; }

// While a thread forks, also a thread of the caller that is starting a worker, all signals are held: that is no
// decision about any signal.
constexpr std::uint64_t all_held = 0x7ffbfeff;  // 1 to 31, but for SIGKILL and SIGSTOP
constexpr int longest_fork_ms = 2000;

// What /proc/PID/status says about signals, read a character at a time.
class status_lines {
 public:
  explicit status_lines(int signal) noexcept : bit_(std::uint64_t{1} << (signal - 1)) {}
  void take(char each) noexcept {
    if (each != '\n') {
      if (length_ < line_.size()) line_[length_++] = each;
      return;
    }
    const std::string_view line(line_.data(), length_);
    length_ = 0;
    constexpr std::string_view blocked = "SigBlk:\t";
    for (const std::string_view which : {blocked, std::string_view("SigIgn:\t"), std::string_view("SigCgt:\t")}) {
      if (!line.starts_with(which)) continue;
      std::uint64_t mask = 0;
      std::from_chars(line.data() + which.size(), line.data() + line.size(), mask, 16);
      ++seen_;
      if (which == blocked && (mask & all_held) == all_held) {
        held_ = true;
      } else {
        decided_ = decided_ || (mask & bit_) != 0;
      }
    }
  }
  [[nodiscard]] bool complete() const noexcept { return seen_ == 3; }
  // The caller handles or ignores it, or blocks it and not all the others.
  [[nodiscard]] bool decided() const noexcept { return decided_; }
  // All signals are blocked: perhaps only for a moment.
  [[nodiscard]] bool held() const noexcept { return held_; }

 private:
  std::uint64_t bit_;
  std::array<char, 64> line_{};
  std::size_t length_ = 0;
  int seen_ = 0;
  bool decided_ = false;
  bool held_ = false;
};

status_lines read_status_of_caller(int signal) noexcept {
  constexpr std::string_view begin = "/proc/";
  constexpr std::string_view end = "/status";
  std::array<char, 40> path{};
  char* at = path.data() + begin.copy(path.data(), begin.size());
  at = std::to_chars(at, at + 12, ::getppid()).ptr;
  end.copy(at, end.size());
  status_lines lines(signal);
  const int file = ::open(path.data(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return lines;
  std::array<char, 1024> some{};
  for (ssize_t got = 0; !lines.complete() && (got = ::read(file, some.data(), some.size())) > 0;) {
    for (ssize_t i = 0; i < got; ++i) lines.take(some[static_cast<std::size_t>(i)]);
  }
  ::close(file);
  return lines;
}

// Whether the caller outlives this signal. As it is now, if the system says so: programs often set up their handlers
// after they made a pool, and nearly always after forkful::init. Async-signal-safe.
bool caller_lives_on(int signal) noexcept {
  for (int waited = 0;; ++waited) {
    const status_lines lines = read_status_of_caller(signal);
    if (!lines.complete()) return ::sigismember(&decided_at_start, signal) == 1;
    if (lines.decided()) return true;
    if (!lines.held() || waited == longest_fork_ms) return lines.held();
    ::poll(nullptr, 0, 1);
  }
}

void do_nothing(int /*signal*/) {}

void end_with_the_caller(int signal) {
  const int error = errno;
  // A process that user code forked is no worker: there, signals do what they usually do.
  if (::getpid() != reset_process || !caller_lives_on(signal)) {
    struct sigaction usual{};
    usual.sa_handler = SIG_DFL;
    ::sigaction(signal, &usual, nullptr);
    ::raise(signal);  // blocked in here: ends the process when the handler returns
  }
  errno = error;
}

void install(int signal, void (*handler)(int)) noexcept {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigfillset(&action.sa_mask);
  for (const int each : crashes) ::sigdelset(&action.sa_mask, each);
  ::sigaction(signal, &action, nullptr);
}

void settle(int signal) noexcept {
  const rule what = rule_of(signal);
  struct sigaction action{};
  if (what == rule::stays || ::sigaction(signal, nullptr, &action) != 0 || is_ignored(action)) return;
  const bool handled = !is_default(action);
  switch (what) {
    case rule::no_effect:
      install(signal, do_nothing);
      break;
    case rule::asks:
      if (handled) ::sigaddset(&decided_at_start, signal);
      install(signal, end_with_the_caller);
      break;
    case rule::not_for_us:
      if (handled) install(signal, do_nothing);
      break;
    case rule::back_to_usual:
      if (handled) install(signal, SIG_DFL);
      break;
    case rule::stays:
      break;
  }
}

}  // namespace

sigset_t hold_signals() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before_fork);
  return before_fork;
}

void release_signals(const sigset_t& before) noexcept { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }

void block_signals() noexcept { hold_signals(); }

void reset_signals() noexcept {
  reset_process = ::getpid();
  ::sigemptyset(&decided_at_start);
  for (int signal = 1; signal < NSIG; ++signal) settle(signal);
  rlimit core{};
  if (::getrlimit(RLIMIT_CORE, &core) == 0) {
    core.rlim_cur = 0;
    ::setrlimit(RLIMIT_CORE, &core);
  }
  sigset_t mask = before_fork;
  for (const int each : crashes) ::sigdelset(&mask, each);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
}

}  // namespace forkful::detail
