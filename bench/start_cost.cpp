// What it costs to have workers at all: starting a pool of 2, its first map, and stopping it.
//   S8: in a small program; beside raw forks and Python's pools.
//   S9: in a program with 4 GB of private, touched memory (or what is given in GB); forked, and from forkful::init's template.
// All in turns, medians with the 10th and 90th percentile. A benchmark reports; it never fails.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <forkful/forkful.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;
using forkful::start_method;

void pool_of_two(start_method start) {
  forkful::process_pool pool{forkful::pool_options{.workers = 2, .start = start}};
  if (pool.map({1, 2, 3, 4}, [](int x) { return x * x; })[3] != 16) std::abort();
}

void two_forks() {
  std::array<pid_t, 2> children{};
  for (pid_t& each : children) {
    each = fork();
    if (each == 0) _exit(0);
  }
  for (const pid_t each : children) waitpid(each, nullptr, 0);
}

struct contender {
  std::string name;
  std::function<void()> work;
  std::vector<double> times{};
};

double percentile(std::vector<double>& times, std::size_t percent) {
  std::sort(times.begin(), times.end());
  return times[std::min(times.size() - 1, times.size() * percent / 100)];
}

void race(const std::string& title, std::vector<contender> all, int rounds) {
  for (int round = 0; round < rounds + 1; ++round) {
    for (contender& each : all) {
      const auto began = clock_type::now();
      each.work();
      const double took = std::chrono::duration<double, std::milli>(clock_type::now() - began).count();
      if (round != 0) each.times.push_back(took);  // the first finds everything cold
    }
  }
  fmt::print("{}\n", title);
  for (contender& each : all) {
    fmt::print("  {:<42} {:>9.3f} ms  ({:.3f} - {:.3f})\n", each.name, percentile(each.times, 50),
               percentile(each.times, 10), percentile(each.times, 90));
  }
}

// Prints its own lines, measured the same way.
void python() {
  std::fflush(stdout);
  const char* program = R"(python3 - <<'END' 2>/dev/null || echo '  (no python3 to compare with)'
import time, statistics, multiprocessing
from concurrent.futures import ProcessPoolExecutor
def square(x): return x * x
def pool():
    with multiprocessing.Pool(2) as p: p.map(square, [1, 2, 3, 4])
def executor():
    with ProcessPoolExecutor(2) as p: list(p.map(square, [1, 2, 3, 4]))
times = {pool: [], executor: []}
for turn in range(21):
    for work in times:
        began = time.perf_counter()
        work()
        if turn: times[work].append((time.perf_counter() - began) * 1e3)
for work, name in ((pool, 'Python multiprocessing.Pool(2)'), (executor, 'Python ProcessPoolExecutor(2)')):
    t = sorted(times[work])
    print(f'  {name:<42} {statistics.median(t):9.3f} ms  ({t[2]:.3f} - {t[18]:.3f})')
END)";
  if (std::system(program) != 0) fmt::print("  (no python3 to compare with)\n");
}

}  // namespace

int main(int argc, char** argv) {
  forkful::init(argc, argv);
  const auto contenders = [] {
    return std::vector<contender>{
        {"process_pool, forked", [] { pool_of_two(start_method::fork); }},
        {"process_pool, forkserver", [] { pool_of_two(start_method::forkserver); }},
        {"raw: 2 x fork, exit, wait", two_forks},
    };
  };
  race("S8: start + first map + stop, small program (goal <= 1.2 ms)", contenders(), 300);
  python();

  const std::size_t gigabytes = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 4;
  const std::size_t bytes = gigabytes << 30;
  const std::unique_ptr<char[]> large(new (std::nothrow) char[bytes]);
  if (large == nullptr) {
    fmt::print("S9: no {} GB of memory here; give fewer: start_cost 1\n", gigabytes);
    return 0;
  }
  std::memset(large.get(), 1, bytes);
  race(fmt::format("S9: the same with {} GB of private memory (goal, forkserver: <= 3 ms)", gigabytes), contenders(),
       15);
  return large[bytes / 2] == 1 ? 0 : 1;
}
