#include "map/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "format/fmt.hpp"
#include "map/misuse.hpp"

namespace mapping {

namespace {

bool ignored(int signal) {
  struct sigaction now{};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

signals::signals() {
  child_ignored_ = ignored(SIGCHLD);
  pipe_ignored_ = ignored(SIGPIPE);
  if (child_ignored_) ::signal(SIGCHLD, SIG_DFL);  // else nobody learns how a job ended
  sigset_t read;
  ::sigemptyset(&read);
  for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) {
    if (!ignored(each)) ::sigaddset(&read, each);
  }
  sigset_t blocked = read;
  ::sigaddset(&blocked, SIGPIPE);  // a write says EPIPE; ignored it would be in the jobs, too
  ::sigprocmask(SIG_BLOCK, &blocked, &before_);
  incoming_ = forkful::detail::fd(::signalfd(-1, &read, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!incoming_.valid())
    throw refusal(own_failure, fmt::format("cannot read signals: {}", std::generic_category().message(errno)));
}

signals::~signals() {
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  if (child_ignored_) ::signal(SIGCHLD, SIG_IGN);
}

int signals::next() {
  signalfd_siginfo info{};
  if (::read(incoming_.number(), &info, sizeof info) != sizeof info) return 0;
  return static_cast<int>(info.ssi_signo);
}

void signals::put_into(forkful::detail::command_setting& setting) const {
  setting.blocked = before_;
  setting.child_ignored = child_ignored_;
}

void signals::stop_here() {
  sigset_t stop, before;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTSTP);
  ::raise(SIGTSTP);  // pending, until it is let in; where nobody could continue us the kernel drops it
  ::pthread_sigmask(SIG_UNBLOCK, &stop, &before);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void signals::die_of(int signal) {
  ::signal(signal, SIG_DFL);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, signal);
  ::raise(signal);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  ::_exit(128 + signal);  // it is stopped by a debugger, or was blocked by the kernel: as shells have it
}

}  // namespace mapping
