// A command of the user's as a child of this process, in a process group of its own, with pipes for what it reads and prints.
//
// It is started without a copy of this process: clone(CLONE_VM | CLONE_VFORK) as posix_spawn does it, which takes the same 60 us however
// much memory this process has. Several threads may start commands at the same time; each waits for its own exec only.
//
// Invariants: until its status is taken its number, and its group's, are nobody else's; it is killed with the thread that started
// it (PR_SET_PDEATHSIG), so that thread must live as long; it inherits descriptors 0 to 2 and what is not closed on exec.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

#include "os/fd.hpp"

namespace forkful::detail {

// What it is, ending in null pointers as execve wants it. `path` is not searched for.
struct command_words {
  const char* path = nullptr;
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
};

// What every command gets from this process, as that was started itself.
struct command_setting {
  sigset_t blocked{};           // signals
  bool child_ignored = false;   // SIGCHLD was ignored: this process must not, for it would learn of no end
  std::optional<rlimit> files;  // RLIMIT_NOFILE, where this process has raised its own
  int nothing = -1;             // /dev/null, open for reading
};

// Which of its descriptors lead to this process: the others of 0 to 2 are /dev/null and this process's own 1 and 2.
struct command_pipes {
  bool in = false;
  bool out = true;  // and err
};

struct command_ending {
  int exit_status = -1;  // 128 + signal, as shells have it, if one ended it; -1: other code has taken the status
  int signal = 0;        // 0: it exited
  std::chrono::nanoseconds cpu{0};
  std::size_t peak_memory = 0;  // bytes, of its largest process
};

class command {
 public:
  enum class step : unsigned char { none, pipe, process, execute };
  // Where it was not started, and the errno of that: `process` may succeed later (EAGAIN, ENOMEM), `execute` is the command's own fault.
  struct refusal {
    step at = step::none;
    int error = 0;
    [[nodiscard]] bool happened() const noexcept { return at != step::none; }
  };
  // What it runs on until exec: at least this much, this thread's alone.
  static constexpr std::size_t stack_bytes = 32768;

  // Starts it and returns when it runs. ENOEXEC is a refusal, too; execvp's way out of that is the caller's. Nothing is left of
  // what was refused. Cost: 60 us.
  [[gnu::visibility("default")]] refusal start(const command_words& words, const command_setting& setting,
                                               command_pipes pipes, std::span<std::byte> stack) noexcept;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  // Becomes readable when it has ended.
  [[nodiscard]] const fd& end() const noexcept { return end_; }
  // Our ends. `in` does not block.
  fd in, out, err;

  // Takes its status, and waits for it if it has not ended. Its number may be another's afterwards.
  [[gnu::visibility("default")]] command_ending reap() noexcept;

 private:
  pid_t pid_ = -1;
  fd end_;
};

// Sends a signal to a process group whose leader's status is not taken yet. Async-signal-safe.
[[gnu::visibility("default")]] void signal_group(pid_t group, int signal) noexcept;

}  // namespace forkful::detail
