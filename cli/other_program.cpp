// fork, exec, a pipe, a deadline. See other_program.hpp.
#include "other_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <system_error>

#include "interrupt.hpp"

namespace cli {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t longest_line = 1 << 16;  // what goes on is a line of its own

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

class descriptor {
 public:
  explicit descriptor(int number) noexcept : number_(number) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() { close(); }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

// In the child, so only what is async-signal-safe.
[[noreturn]] void become(char* const* words, int output, pid_t parent) {
  ::setpgid(0, 0);                     // so that it can be ended with all that it has started
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // whatever ends us
  if (::getppid() != parent) ::_exit(127);
  const int nothing = ::open("/dev/null", O_RDONLY);
  const bool ready = nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
                     ::dup2(output, STDERR_FILENO) >= 0;
  if (ready) ::execv(words[0], words);
  ::_exit(127);
}

/// The child and its process group. Destroying it kills what is left of them.
class child {
 public:
  child(const std::vector<std::string>& words, int output) {
    std::vector<char*> raw;
    raw.reserve(words.size() + 1);
    for (const std::string& each : words) raw.push_back(const_cast<char*>(each.c_str()));
    raw.push_back(nullptr);
    ::signal(SIGCHLD, SIG_DFL);  // who started us may have it ignored, and then nobody learns how a child ended
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) fail("cannot start a process");
    if (pid_ == 0) become(raw.data(), output, parent);
    ::setpgid(pid_, pid_);  // whoever comes first; we must not go on before
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() { end(); }

  /// Kills what is left. An exit status that the child has already stays what it is.
  program_end end() {
    if (pid_ < 0) return {};
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (WIFEXITED(status)) return {.exit_code = WEXITSTATUS(status)};
    return {.signal = WTERMSIG(status)};
  }

 private:
  pid_t pid_ = -1;
};

/// Hands out whole lines.
class lines {
 public:
  explicit lines(const std::function<void(std::string_view)>& line) : line_(line) {}
  void add(std::string_view text) {
    pending_ += text;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = pending_.find('\n', begin)) != std::string::npos; begin = end + 1)
      line_(std::string_view(pending_).substr(begin, end - begin));
    pending_.erase(0, begin);
    if (pending_.size() >= longest_line) flush();
  }
  void flush() {
    if (!pending_.empty()) line_(pending_);
    pending_.clear();
  }

 private:
  const std::function<void(std::string_view)>& line_;
  std::string pending_;
};

/// False: the deadline has passed first, or Ctrl-C was pressed.
bool has_something(int output, clock::time_point deadline) {
  while (!interrupt_came()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()).count();
    if (left <= 0) return false;
    pollfd wanted{.fd = output, .events = POLLIN, .revents = 0};
    // In turns of a tenth of a second: Ctrl-C may come just before poll.
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::min<std::int64_t>(left, 100)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) fail("cannot wait for a process");
  }
  return false;
}

}  // namespace

program_end run_other(const std::vector<std::string>& words, std::chrono::nanoseconds longest,
                      const std::function<void(std::string_view)>& line) {
  const clock::time_point deadline = clock::now() + longest;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("cannot make a pipe");
  const descriptor output(ends[0]);
  descriptor input(ends[1]);
  child started(words, input.number());
  input.close();

  lines said(line);
  std::array<char, 4096> room{};
  bool closed = false;  // all that had it have ended, or do so now
  while (!closed && has_something(output.number(), deadline)) {
    const ssize_t got = ::read(output.number(), room.data(), room.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read from a process");
    closed = got == 0;
    said.add({room.data(), static_cast<std::size_t>(got)});
  }
  program_end ended = started.end();
  said.flush();
  leave_if_interrupted();
  ended.timed_out = !closed;
  return ended;
}

}  // namespace cli
