// Killing workers on purpose, and counting it: what the tests in this folder share.
//
// Owns the breakpoint hook while a killer lives, and a page of counters that all processes see.
#pragma once

#include <dirent.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "os/breakpoint.hpp"
#include "support/hang.hpp"
#include "support/in_child.hpp"
#include "support/process_state.hpp"
#include "support/sanitized.hpp"

namespace forkful_tests {

using forkful::detail::point;
constexpr auto points = static_cast<std::size_t>(point::count);

inline const char* name_of(point where) {
  constexpr std::array<const char*, points> names{
      "claim_before", "claim_after",    "slice_begin",    "slice_end",       "broken_off",  "done_before",
      "done_after",   "spin",           "sleep_before",   "alloc_before",    "alloc_after", "free_before",
      "free_linked",  "span_claimed",   "loose_added",    "loose_removed",   "give_begun",  "give_linked",
      "give_removed", "fork_child",     "lifeline_armed", "crash_described", "relieved",    "replace_before",
      "undo_saved",   "end_looked_for", "kill_before",    "template_cloned", "watched",     "looked"};
  return names[static_cast<std::size_t>(where)];
}

// While it lives, the worker that passes `where` for the k-th time, counted over all workers, sends itself a signal,
// SIGKILL if nothing else is said; and so does every worker that passes it up to the `last`-th time. The process that
// made it is spared.
class killer {
 public:
  killer(point where, unsigned pass, unsigned last, int signal = SIGKILL) {
    plan_ = &*counters_;
    plan_->where = where;
    plan_->pass = pass;
    plan_->last = last;
    plan_->signal = signal;
    plan_->spared = getpid();
    forkful::detail::breakpoint_installed = hook;
  }
  killer(point where, unsigned pass) : killer(where, pass, pass) {}
  ~killer() {
    forkful::detail::breakpoint_installed = nullptr;
    plan_ = nullptr;
  }
  killer(const killer&) = delete;
  killer& operator=(const killer&) = delete;

  // From here on new workers live.
  static void spare_new_workers() { forkful::detail::breakpoint_installed = nullptr; }

  [[nodiscard]] unsigned kills() const { return counters_->kills.load(); }
  [[nodiscard]] unsigned passes(point where) const { return counters_->passes[static_cast<std::size_t>(where)].load(); }

 private:
  struct plan {
    point where{};
    unsigned pass = 0;
    unsigned last = 0;
    int signal = SIGKILL;
    pid_t spared = 0;
    std::array<std::atomic<unsigned>, points> passes{};
    std::atomic<unsigned> kills{0};
  };

  static void hook(point where) {
    if (getpid() == plan_->spared) return;
    const unsigned pass = plan_->passes[static_cast<std::size_t>(where)].fetch_add(1) + 1;
    if (where != plan_->where || pass < plan_->pass || pass > plan_->last) return;
    plan_->kills.fetch_add(1);
    kill(getpid(), plan_->signal);
  }

  static inline plan* plan_ = nullptr;
  seen_by_all<plan> counters_;
};

// Entries of a directory, but for the one that reading it takes.
inline std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  DIR* const open = opendir(path.c_str());
  if (open == nullptr) return names;
  while (const dirent* entry = readdir(open)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  closedir(open);
  return names;
}

// File descriptors this process has open.
// But that of shared memory, of which a process has one from the first use on (unit/arena_test.cpp).
inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for (const std::string& name : names_in("/proc/self/fd")) {
    std::error_code closed;  // it was the folder's own
    const std::string what = std::filesystem::read_symlink("/proc/self/fd/" + name, closed).string();
    if (!closed && what.find("memfd:forkful") == std::string::npos) ++count;
  }
  return count;
}

// Children of a process, zombies included.
inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  for (const std::string& task : names_in("/proc/" + std::to_string(parent) + "/task")) {
    std::ifstream list("/proc/" + std::to_string(parent) + "/task/" + task + "/children");
    for (pid_t child = 0; list >> child;) found.push_back(child);
  }
  return found;
}

// Ended, reaped or not.
inline bool gone(pid_t process) {
  const char state = state_of(process);
  return state == '\0' || state == 'Z' || state == 'X';
}

inline std::size_t from_environment(const char* name, std::size_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace forkful_tests
