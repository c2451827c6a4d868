#include "process_tree.hpp"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <thread>

#include "format/fmt.hpp"

namespace forkful_bench {

namespace {

namespace fs = std::filesystem;

// The fourth word of /proc/PID/stat; the second, a name, may hold blanks and brackets of its own.
pid_t parent_of(const fs::path& process) {
  std::ifstream file(process / "stat");
  std::string line;
  std::getline(file, line);
  const std::size_t after_name = line.rfind(')');
  if (after_name == std::string::npos || after_name + 4 > line.size()) return 0;
  return static_cast<pid_t>(std::strtol(line.c_str() + after_name + 4, nullptr, 10));
}

bool is_number(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

void add_thread(scheduling& to, const fs::path& thread) {
  std::uint64_t run = 0;
  std::ifstream(thread / "schedstat") >> run;
  to.run_ns += run;
  std::ifstream status(thread / "status");
  for (std::string line; std::getline(status, line);) {
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos && line.find("ctxt_switches") != std::string::npos)
      to.switches += std::strtoull(line.c_str() + colon + 1, nullptr, 10);
  }
}

char state_of(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string line;
  std::getline(file, line);
  const std::size_t after_name = line.rfind(')');
  return after_name == std::string::npos || after_name + 2 >= line.size() ? '\0' : line[after_name + 2];
}

// Stops a whole tree. A page that a process maps between two looks would count in full where it was alone, and again in part
// where it is shared: up to a fifth too much, of a gigabyte that workers begin to read.
class still_tree {
 public:
  explicit still_tree(pid_t root) {
    for (std::size_t known = 0; known != (tree_ = process_tree(root)).size();) {
      known = tree_.size();
      for (const pid_t each : tree_) ::kill(each, SIGSTOP);
      for (const pid_t each : tree_)
        for (int limit = 0; limit < 500 && std::string_view("TtZ").find(state_of(each)) == std::string_view::npos;
             ++limit)
          std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  // A process that is left stopped because this program was killed gets a signal from the kernel: its process group has
  // lost its parent.
  ~still_tree() {
    for (const pid_t each : tree_) ::kill(each, SIGCONT);
  }
  still_tree(const still_tree&) = delete;
  still_tree& operator=(const still_tree&) = delete;
  [[nodiscard]] const std::vector<pid_t>& processes() const { return tree_; }

 private:
  std::vector<pid_t> tree_;
};

}  // namespace

std::vector<pid_t> process_tree(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  std::error_code ended;
  for (fs::directory_iterator at("/proc", ended), end; !ended && at != end; at.increment(ended)) {
    const std::string name = at->path().filename().string();
    if (is_number(name)) children.emplace(parent_of(at->path()), static_cast<pid_t>(std::stol(name)));
  }
  std::vector<pid_t> tree{root};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const auto [first, last] = children.equal_range(tree[i]);
    for (auto it = first; it != last; ++it) tree.push_back(it->second);
  }
  return tree;
}

scheduling scheduling_of(const std::vector<pid_t>& tree) {
  scheduling all;
  for (const pid_t process : tree) {
    std::error_code ended;
    for (fs::directory_iterator at(fmt::format("/proc/{}/task", process), ended), end; !ended && at != end;
         at.increment(ended)) {
      if (process != tree.front() || at->path().filename() != std::to_string(process)) add_thread(all, at->path());
    }
  }
  return all;
}

memory memory_of(const std::vector<pid_t>& tree) {
  memory all;
  for (const pid_t process : tree) {
    std::ifstream file(fmt::format("/proc/{}/smaps_rollup", process));
    for (std::string line; std::getline(file, line);) {
      const auto bytes = [&] { return 1024 * std::strtod(line.c_str() + line.find(':') + 1, nullptr); };
      if (line.starts_with("Pss_Anon:") || line.starts_with("Pss_Shmem:")) all.proportional += bytes();
      if (line.starts_with("Private_Dirty:")) all.unshared += bytes();
    }
  }
  return all;
}

memory most_memory_while(pid_t root, const std::function<void()>& work) {
  std::atomic<bool> done{false};
  std::exception_ptr failure;
  std::thread worker([&] {
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    done = true;
  });
  memory most;
  for (bool last = false; !last;) {
    last = done;  // what is still there at the end is looked at once more
    const memory now = memory_of(still_tree(root).processes());
    most.proportional = std::max(most.proportional, now.proportional);
    most.unshared = std::max(most.unshared, now.unshared);
    if (!last) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  worker.join();
  if (failure != nullptr) std::rethrow_exception(failure);
  return most;
}

}  // namespace forkful_bench
