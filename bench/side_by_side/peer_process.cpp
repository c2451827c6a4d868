#include "peer_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "format/fmt.hpp"

extern char** environ;

namespace forkful_bench {

namespace {

using clock_type = std::chrono::steady_clock;

void close_if_open(int& fd) {
  if (fd != -1) ::close(fd);
  fd = -1;
}

}  // namespace

peer_process::peer_process(std::vector<std::string> command, std::chrono::seconds timeout)
    : command_(std::move(command)), timeout_(timeout) {
  // A peer that has ended is an error of write(), not the end of the benchmark.
  ::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> to{-1, -1};
  std::array<int, 2> from{-1, -1};
  complaints_ = ::memfd_create("complaints", MFD_CLOEXEC);
  if (complaints_ == -1 || ::pipe2(to.data(), O_CLOEXEC) != 0 || ::pipe2(from.data(), O_CLOEXEC) != 0) {
    why_ = fmt::format("pipes cannot be made: {}", std::strerror(errno));
    return;
  }
  to_ = to[1];
  from_ = from[0];
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, to[0], 0);
  posix_spawn_file_actions_adddup2(&files, from[1], 1);
  posix_spawn_file_actions_adddup2(&files, complaints_, 2);
  posix_spawnattr_t how;
  posix_spawnattr_init(&how);
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&how, 0);
  std::vector<char*> words;
  for (std::string& each : command_) words.push_back(each.data());
  words.push_back(nullptr);
  const int failed = ::posix_spawnp(&pid_, words[0], &files, &how, words.data(), environ);
  posix_spawnattr_destroy(&how);
  posix_spawn_file_actions_destroy(&files);
  ::close(to[0]);
  ::close(from[1]);
  if (failed != 0) {
    pid_ = -1;
    why_ = fmt::format("{} cannot be started: {}", command_[0], std::strerror(failed));
    return;
  }
  try {
    while (!line_or_throw().starts_with("ready")) {
    }
  } catch (const std::exception& failure) {
    why_ = failure.what();
    end();
  }
}

peer_process::~peer_process() {
  end();
  close_if_open(complaints_);
}

void peer_process::end() {
  close_if_open(to_);
  if (pid_ == -1) return;
  // The peer ends when its input does; one that does not is ended.
  const auto until = clock_type::now() + std::chrono::seconds(2);
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (clock_type::now() > until) {
      ::kill(-pid_, SIGKILL);
      ::waitpid(pid_, &status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  pid_ = -1;
  close_if_open(from_);
}

std::string peer_process::last_words() {
  std::string all(4096, '\0');
  const off_t size = ::lseek(complaints_, 0, SEEK_END);
  const ssize_t got = ::pread(complaints_, all.data(), all.size(), size > 4096 ? size - 4096 : 0);
  all.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  std::string last;
  std::istringstream lines(all);
  for (std::string line; std::getline(lines, line);)
    if (line.find_first_not_of(" -") != std::string::npos) last = line;
  return last.substr(0, 160);
}

std::string peer_process::line_or_throw() {
  const auto until = clock_type::now() + timeout_;
  for (;;) {
    if (const auto end_of_line = read_.find('\n'); end_of_line != std::string::npos) {
      std::string line = read_.substr(0, end_of_line);
      read_.erase(0, end_of_line + 1);
      return line;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock_type::now()).count();
    pollfd waiting{from_, POLLIN, 0};
    const int ready = left <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(left));
    if (ready == -1 && errno == EINTR) continue;
    if (ready <= 0) throw std::runtime_error(fmt::format("it said nothing for {} s", timeout_.count()));
    std::array<char, 65536> some;  // NOLINT: filled by read
    const ssize_t got = ::read(from_, some.data(), some.size());
    if (got == -1 && errno == EINTR) continue;
    if (got <= 0) {
      const std::string words = last_words();
      throw std::runtime_error(words.empty() ? "it ended without a word" : words);
    }
    read_.append(some.data(), static_cast<std::size_t>(got));
  }
}

std::string peer_process::ask(const std::string& line) {
  if (!alive()) throw std::runtime_error(why_);
  const std::string whole = line + "\n";
  if (::write(to_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size()))
    throw std::runtime_error(fmt::format("it has ended: {}", last_words()));
  return line_or_throw();
}

std::pair<std::vector<double>, std::string> peer_process::round() {
  std::string line = ask("round");
  for (;;) {
    std::vector<std::string> words;
    std::istringstream in(line);
    for (std::string word; in >> word;) words.push_back(word);
    std::vector<double> values;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      char* end = nullptr;
      values.push_back(std::strtod(words[i].c_str(), &end));
      if (*end != '\0') {
        values.clear();
        break;
      }
    }
    if (!values.empty()) return {std::move(values), words.back() == "-" ? "" : words.back()};
    line = line_or_throw();
  }
}

std::string peer_script(const std::string& name) { return std::string(FORKFUL_BENCH_PEERS) + "/" + name; }
std::string peer_program(const std::string& name) { return std::string(FORKFUL_BENCH_PROGRAMS) + "/" + name; }

std::vector<std::string> python(const std::string& script, std::vector<std::string> arguments) {
  // The system's Python, which finds what its packages install; another one may come first in PATH.
  const char* system_python = "/usr/bin/python3";
  std::vector<std::string> command{::access(system_python, X_OK) == 0 ? system_python : "python3", "-B",
                                   peer_script(script)};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

std::vector<std::string> mpirun(unsigned ranks, const std::string& program, std::vector<std::string> arguments) {
  std::vector<std::string> command{"mpirun", "--oversubscribe", "-n", std::to_string(ranks)};
  if (::geteuid() == 0) command.insert(command.begin() + 1, "--allow-run-as-root");
  command.push_back(program);
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

}  // namespace forkful_bench
