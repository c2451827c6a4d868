#include "map/guardian.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include "format/fmt.hpp"
#include "map/misuse.hpp"
#include "os/command.hpp"

namespace mapping {

namespace {

[[noreturn]] void fail(const char* what) {
  throw refusal(own_failure, fmt::format("cannot {} for the process that looks after the jobs: {}", what,
                                         std::generic_category().message(errno)));
}

// Everything but what it reads: others wait for the end of our output, and of our input's readers.
void close_all_but(int kept) {
  const auto close = [](int first, int last) {
    if (first <= last && ::syscall(SYS_close_range, first, last, 0) != 0) {
      constexpr int most = 1024;
      for (int number = first; number <= std::min(last, most); ++number) ::close(number);
    }
  };
  close(0, kept - 1);
  close(kept + 1, ~0U >> 1);
}

[[noreturn]] void guard(std::span<const std::atomic<pid_t>> groups, int line) {
  ::setsid();
  ::prctl(PR_SET_NAME, "forkful-guard");
  // What ends forkful is often sent to all that has its name.
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  close_all_but(line);
  char nothing = 0;
  while (::read(line, &nothing, 1) < 0 && errno == EINTR) {
  }
  for (const std::atomic<pid_t>& each : groups) {
    if (const pid_t group = each.load(); group > 0) forkful::detail::signal_group(group, SIGKILL);
  }
  ::_exit(0);
}

}  // namespace

guardian::guardian(std::size_t slots) {
  const std::size_t bytes = slots * sizeof(std::atomic<pid_t>);
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("get memory");
  static_assert(std::atomic<pid_t>::is_always_lock_free);
  auto* const first = static_cast<std::atomic<pid_t>*>(memory);
  std::uninitialized_value_construct_n(first, slots);
  groups_ = {first, slots};
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("make a pipe");
  const forkful::detail::fd line(ends[0]);
  alive_ = forkful::detail::fd(ends[1]);
  process_ = ::fork();
  if (process_ < 0) {
    throw refusal(own_failure,
                  fmt::format("no process is to be had to look after the jobs: {} (is there a limit? ulimit -u)",
                              std::generic_category().message(errno)));
  }
  if (process_ == 0) guard(groups_, line.number());
}

guardian::~guardian() {
  alive_.reset();
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  ::munmap(groups_.data(), groups_.size_bytes());
}

void guardian::enter(unsigned slot, pid_t group) {
  const std::lock_guard lock(mutex_);
  groups_[slot].store(group);
}

void guardian::leave(unsigned slot) {
  const std::lock_guard lock(mutex_);
  groups_[slot].store(0);
}

void guardian::signal(int number) {
  const std::lock_guard lock(mutex_);
  for (const std::atomic<pid_t>& each : groups_) {
    if (const pid_t group = each.load(); group > 0) forkful::detail::signal_group(group, number);
  }
}

bool guardian::empty() {
  const std::lock_guard lock(mutex_);
  return std::all_of(groups_.begin(), groups_.end(), [](const std::atomic<pid_t>& each) { return each.load() == 0; });
}

}  // namespace mapping
