// What each limit means: sentences from facts alone. See limits.hpp.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <utility>

#include "advice/limits.hpp"
#include "advice/machine_history.hpp"
#include "format/fmt.hpp"
#include "report/words.hpp"

namespace forkful::detail {

namespace {

constexpr std::size_t gigabyte = 1'000'000'000;

std::string time_of(double seconds) {
  return human_time(std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(seconds * 1e9)));
}

// "5.10.0-8-amd64" is {5, 10}; what is no version is newer than any.
std::pair<int, int> version_of(const std::string& kernel) {
  std::pair<int, int> version{1000, 0};
  const char* const end = kernel.data() + kernel.size();
  const auto [dot, failed] = std::from_chars(kernel.data(), end, version.first);
  if (failed == std::errc{} && dot != end) std::from_chars(dot + 1, end, version.second);
  return version;
}

class list {
 public:
  void add(weight how_much, std::string what, std::string means, std::string todo) {
    all_.push_back({how_much, std::move(what), std::move(means), std::move(todo)});
  }
  // Findings of the same weight as they were added: the later, the more important.
  std::vector<finding> sorted() && {
    std::stable_sort(all_.begin(), all_.end(),
                     [](const finding& a, const finding& b) { return a.how_much < b.how_much; });
    return std::move(all_);
  }

 private:
  std::vector<finding> all_;
};

void about_memory(list& found, const limits& of) {
  if (!of.has_shm || of.shm < gigabyte) {
    found.add(weight::note,
              of.has_shm ? fmt::format("/dev/shm holds {}.", human_bytes(of.shm)) : "There is no /dev/shm.",
              "forkful does not need it: its shared memory has no name, and this is no limit to it.",
              "Leave it, unless MPI or Python's multiprocessing run beside it.");
  }
  if (of.huge_pages == "always") {
    found.add(
        weight::costs, "Transparent huge pages are always on.",
        "A worker that writes to one byte of inherited memory copies 2 MB, so forks are cheap and writes after them "
        "dear.",
        "Where workers change much of what they inherit, use a shared_vector, or `echo madvise > "
        "/sys/kernel/mm/transparent_hugepage/enabled`.");
  }
  if (of.strict_overcommit) {
    found.add(weight::costs, "Overcommit is strict (vm.overcommit_memory is 2).",
              "Shared memory is reserved before it is used, and a fork fails with \"cannot allocate memory\" while the "
              "program is large.",
              "Call forkful::init first in main, so that workers come from a small process, or set "
              "vm.overcommit_memory to 0.");
  }
  if (of.group_memory_left != SIZE_MAX && (of.memory_free == 0 || of.group_memory_left < of.memory_free)) {
    const bool little = of.group_memory_left < gigabyte / 4;
    found.add(
        little ? weight::blocks : weight::costs,
        fmt::format("The control group leaves {} of memory to take.", human_bytes(of.group_memory_left)),
        "Past it the kernel kills a process of the group; shared memory is kept below it, private memory of workers is "
        "not.",
        "Set pool_options::worker_memory_limit, or raise the group's memory.max (docker: --memory).");
  }
  const std::size_t arena = std::min(of.address_space == SIZE_MAX ? SIZE_MAX : of.address_space / 2, of.file_size);
  if (arena != SIZE_MAX) {
    const bool by_files = arena == of.file_size;
    found.add(
        arena < gigabyte ? weight::blocks : weight::costs,
        fmt::format("`ulimit -{}` allows {}.", by_files ? 'f' : 'v', human_bytes(by_files ? arena : of.address_space)),
        fmt::format("All shared memory together ends at {}, with arena_exhausted.", human_bytes(arena)),
        fmt::format("Run `ulimit -{} unlimited` before the program.", by_files ? 'f' : 'v'));
  }
}

void about_cpus(list& found, const limits& of) {
  const unsigned cpus = std::min(of.affinity_cpus, of.online_cpus);
  if (cpus < of.online_cpus) {
    found.add(weight::note, fmt::format("This process may run on {} of the machine's {} CPUs.", cpus, of.online_cpus),
              "Pools make as many workers as that, and no more.",
              "Start it without taskset (or with a wider cpuset) to use the others.");
  }
  if (of.cpu_quota > 0 && of.cpu_quota < cpus) {
    found.add(weight::costs, fmt::format("The control group grants the time of {:.3g} CPUs.", of.cpu_quota),
              "A group that has used it up is stopped until the next tenth of a second, workers in the middle of a "
              "slice too.",
              "Raise the group's cpu.max (docker: --cpus), or give pools fewer workers.");
  }
  // The processes that wait are not ours: this one has just begun.
  if (of.load > 0.5 && of.load > 0.25 * of.online_cpus) {
    found.add(weight::costs, fmt::format("Other programs keep {:.1f} of {} CPUs busy.", of.load, of.online_cpus),
              "Workers share the cores with them, and what was measured varies.",
              "Measure when the machine is quiet: forkful doctor --again.");
  }
  if (cpus == 1 || (of.cpu_quota > 0 && of.cpu_quota <= 1)) {
    found.add(weight::costs, "There is one CPU to use.",
              "Nothing that computes becomes faster by going parallel here; what waits (files, network) still does.",
              "Use a serial_pool, or let the process have more CPUs.");
  }
}

void about_costs(list& found, const limits& of, const machine& measured) {
  constexpr double slow_wake = 20e-6;
  if (measured.processes.wake > slow_wake) {
    found.add(weight::note,
              fmt::format("Waking a worker takes {}{}.", time_of(measured.processes.wake),
                          of.virtual_machine ? ": a virtual machine takes a core away when it is idle" : ""),
              fmt::format("A call after a pause is that much later; back to back it costs {}.",
                          time_of(measured.processes.call)),
              fmt::format("Go parallel for calls of {} or more, and make one large call rather than many small ones.",
                          time_of(10 * measured.processes.wake)));
  }
  if (measured.disturbance > quiet_enough || measured.spread > steady_enough) {
    const std::string date = date_of(measured.taken);
    const std::string when = date.empty() ? "when they were taken" : fmt::format("on {}", date);
    found.add(weight::costs,
              measured.disturbance > quiet_enough
                  ? fmt::format("Other programs took {} of the cores {}.", percent(measured.disturbance), when)
                  : fmt::format("Measurements differed by {} {}.", percent(measured.spread), when),
              "The figures above are doubtful, and predictions of how long a call will take are no better.",
              "Look again when the machine is quiet: it is measured anew by itself then.");
  }
}

void about_starting(list& found, const limits& of) {
  // Two workers a CPU, and room for what else the user runs.
  const std::size_t wanted = 2 * std::size_t{of.online_cpus} + 64;
  if (of.processes < wanted) {
    found.add(weight::blocks, fmt::format("`ulimit -u` allows this user {} processes and threads.", of.processes),
              "Other programs count too, so pools may not start: start_failed.",
              "Raise it (`ulimit -u`, or the container's pids limit), or use fewer workers.");
  }
  if (of.open_files < wanted) {
    found.add(weight::blocks, fmt::format("`ulimit -n` allows {} open files.", of.open_files),
              "A pool needs 3, and 2 more for each worker; past the limit it does not start: start_failed.",
              "Run `ulimit -n 1024` before the program.");
  }
  if (of.sanitizer) {
    found.add(weight::costs, "This forkful is built with a sanitizer.",
              "Everything takes several times as long, and what was measured holds for such builds only.",
              "Measure with a release build.");
  }
  if (of.valgrind) {
    found.add(weight::costs, "This runs under valgrind.",
              "Everything takes twenty times as long or more, and nothing that is measured is true.",
              "Measure without it.");
  }
  if (const auto [major, minor] = version_of(of.kernel); std::pair(major, minor) < std::pair(5, 10)) {
    found.add(weight::blocks, fmt::format("The kernel is Linux {}.", of.kernel),
              "forkful is made for 5.10 and later; older ones lack calls it rests on, so pools may not start.",
              "Upgrade the kernel, or use a serial_pool.");
  }
  if (of.pidfd_error != 0) {
    found.add(weight::costs, fmt::format("The system refuses pidfd_open ({}).", std::strerror(of.pidfd_error)),
              "Workers are asked after every 10 ms instead, so a death is seen that much later.",
              "Allow it in the seccomp filter (docker 20.10 and later do).");
  }
}

}  // namespace

std::vector<finding> findings(const limits& of, const machine* measured) {
  list found;
  about_memory(found, of);
  if (measured != nullptr) about_costs(found, of, *measured);
  about_cpus(found, of);
  about_starting(found, of);
  return std::move(found).sorted();
}

std::string next_step(const std::vector<finding>& found) {
  if (!found.empty() && found.back().how_much != weight::note) {
    std::string todo = found.back().todo;  // begins with a plain capital, ends in a full stop
    todo.front() = static_cast<char>(todo.front() - 'A' + 'a');
    todo.pop_back();
    return todo;
  }
  return "nothing stands in the way here; see it at work: forkful tour";
}

}  // namespace forkful::detail
