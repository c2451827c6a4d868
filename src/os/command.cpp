#include "os/command.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace forkful::detail {

namespace {

constexpr auto by_descriptor = static_cast<idtype_t>(3);  // P_PIDFD, missing in older headers

// What the new process reads and writes of its parent's memory, while the thread that started it stands still.
struct birth {
  const command_words& words;
  const command_setting& setting;
  std::array<int, 3> descriptors;  // what becomes 0 to 2; -1: stays as it is
  pid_t parent;
  int error = 0;
};

// The new process, in its parent's memory: only what is async-signal-safe, and no sanitizer, which knows the parent's stack only.
[[gnu::no_sanitize_address]] int become(void* shared) noexcept {
  auto& self = *static_cast<birth*>(shared);
  const auto give_up = [&self]() {
    self.error = errno;
    ::_exit(127);
  };
  if (::setpgid(0, 0) != 0) give_up();
  // Its parent may have died before: then no signal comes.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up();
  if (::getppid() != self.parent) ::_exit(127);
  for (int number = 0; number < 3; ++number) {
    const int from = self.descriptors[static_cast<std::size_t>(number)];
    if (from >= 0 && ::dup2(from, number) < 0) give_up();
  }
  if (self.setting.files && ::setrlimit(RLIMIT_NOFILE, &*self.setting.files) != 0) give_up();
  if (self.setting.child_ignored) {
    struct sigaction ignored{};
    ignored.sa_handler = SIG_IGN;
    if (::sigaction(SIGCHLD, &ignored, nullptr) != 0) give_up();
  }
  ::pthread_sigmask(SIG_SETMASK, &self.setting.blocked, nullptr);
  ::execve(self.words.path, self.words.arguments, self.words.environment);
  give_up();
  return 127;
}

// Two ends, ours first. `ours` is read from, or else written to.
bool make_pipe(fd& ours, fd& theirs, bool read) noexcept {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  fd reading(ends[0]);
  fd writing(ends[1]);
  ours = std::move(read ? reading : writing);
  theirs = std::move(read ? writing : reading);
  return true;
}

}  // namespace

command::refusal command::start(const command_words& words, const command_setting& setting, command_pipes pipes,
                                std::span<std::byte> stack) noexcept {
  *this = command();
  fd their_in, their_out, their_err;
  const bool connected =
      (!pipes.in || (make_pipe(in, their_in, false) && ::fcntl(in.number(), F_SETFL, O_NONBLOCK) == 0)) &&
      (!pipes.out || (make_pipe(out, their_out, true) && make_pipe(err, their_err, true)));
  if (!connected) {
    const int error = errno;
    *this = command();
    return {step::pipe, error};
  }

  birth self{.words = words,
             .setting = setting,
             .descriptors = {pipes.in ? their_in.number() : setting.nothing, their_out.number(), their_err.number()},
             .parent = ::getpid()};
  // No handler of this process may run in the new one, which has its memory.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int end = -1;
  const int made =
      ::clone(become, stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &self, &end);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (made < 0) {
    *this = command();
    return {step::process, error};
  }
  pid_ = made;
  end_ = fd(end);
  if (self.error != 0) {
    reap();
    *this = command();
    return {step::execute, self.error};
  }
  return {};
}

command_ending command::reap() noexcept {
  siginfo_t info{};
  rusage used{};
  long result = 0;
  do {  // The C library's waitid does not tell what was used.
    result = ::syscall(SYS_waitid, by_descriptor, end_.number(), &info, WEXITED, &used);
  } while (result != 0 && errno == EINTR);
  pid_ = -1;
  end_.reset();
  command_ending ending;
  if (result != 0) return ending;
  if (info.si_code == CLD_EXITED) {
    ending.exit_status = info.si_status;
  } else {
    ending.exit_status = 128 + info.si_status;
    ending.signal = info.si_status;
  }
  const auto time = [](const timeval& of) {
    return std::chrono::seconds(of.tv_sec) + std::chrono::microseconds(of.tv_usec);
  };
  ending.cpu = time(used.ru_utime) + time(used.ru_stime);
  ending.peak_memory = static_cast<std::size_t>(used.ru_maxrss) * 1024;
  return ending;
}

void signal_group(pid_t group, int signal) noexcept { ::syscall(SYS_kill, -group, signal); }

}  // namespace forkful::detail
