// What it costs to have workers at all: a pool of 2 started, a first map of 4 numbers, and the pool stopped.
//   S8  in a small program
//   S9  in a program with 4 GB of private, touched memory
// Forked from the program, and from the small copy of it that forkful::init made before it grew; Python likewise (fork, forkserver).
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <forkful/forkful.hpp>
#include <fstream>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "format/fmt.hpp"
#include "side_by_side/contest.hpp"

using namespace forkful_bench;

namespace {

int square(int x) { return x * x; }

// Starting, mapping and stopping, all on the clock; what was computed.
measured pool_of_two(forkful::start_method start) {
  int sum = 0;
  const double took = seconds([&] {
    forkful::process_pool pool{forkful::pool_options{.workers = 2, .start = start}};
    for (const int each : pool.map({1, 2, 3, 4}, square)) sum += each;
  });
  return {{took}, std::to_string(sum)};
}

// The least that two processes cost: each squares two numbers, writes them down a pipe, and ends.
measured raw_forks() {
  int sum = 0;
  const double took = seconds([&] {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
    std::array<pid_t, 2> children{};
    for (int child = 0; child < 2; ++child) {
      children[child] = fork();
      if (children[child] == -1) throw std::runtime_error("no fork");
      if (children[child] != 0) continue;
      const std::array<int, 2> results{square(2 * child + 1), square(2 * child + 2)};
      _exit(write(ends[1], results.data(), sizeof(results)) == sizeof(results) ? 0 : 1);
    }
    close(ends[1]);
    for (int result = 0; read(ends[0], &result, sizeof(result)) == sizeof(result);) sum += result;
    close(ends[0]);
    for (const pid_t each : children) waitpid(each, nullptr, 0);
  });
  return {{took}, std::to_string(sum)};
}

std::unique_ptr<peer_process> python_pool(const char* kind, std::size_t gigabytes) {
  return std::make_unique<peer_process>(python("starting.py", {kind, std::to_string(gigabytes)}));
}

void small_program(score_sheet& sheet) {
  contest(sheet, "S8", "pool of 2: start + first map + stop, small program")
      .ours("process_pool, forked", [] { return pool_of_two(forkful::start_method::fork); })
      .ours("process_pool, from init's copy", [] { return pool_of_two(forkful::start_method::forkserver); })
      .peer("raw: fork, pipe, wait", raw_forks)
      .peer("Python Pool", python_pool("pool", 0))
      .peer("Python ProcessPoolExecutor", python_pool("executor", 0))
      .goal(at_most(1.2e-3, "at most 1.2 ms"))
      .note("The first map of a new pool is in it: workers that begin with page faults and cold caches.")
      .run({.rounds = 200, .budget = 25, .thrown_away = 5, .pause = std::chrono::milliseconds(2)});
}

// What can be had without making other programs swap: this program and two Python programs take it at the same time.
std::size_t gigabytes_at_hand() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("MemAvailable:")) return std::strtoull(line.c_str() + 13, nullptr, 10) >> 20;
  return 0;
}

void large_program(score_sheet& sheet) {
  const std::size_t gigabytes = std::min<std::size_t>(4, gigabytes_at_hand() / 4);
  const std::size_t bytes = gigabytes << 30;
  const std::unique_ptr<char[]> large(new (std::nothrow) char[bytes]);
  if (bytes == 0 || large == nullptr) {
    fmt::print("S9: there is not enough memory here\n");
    return;
  }
  std::memset(large.get(), 1, bytes);
  keep(large[bytes / 2]);
  contest row(sheet, "S9", fmt::format("the same with {} GB of private memory in the program", gigabytes));
  row.ours("process_pool, from init's copy", [] { return pool_of_two(forkful::start_method::forkserver); })
      .ours("process_pool, forked", [] { return pool_of_two(forkful::start_method::fork); })
      .peer("raw: fork, pipe, wait", raw_forks)
      .peer("Python Pool, forked", python_pool("pool", gigabytes))
      .peer("Python Pool, forkserver", python_pool("forkserver", gigabytes))
      .goal(at_most(3e-3, "at most 3 ms"));
  if (gigabytes < 4) row.note("The goal is for 4 GB; there is not that much memory here.");
  row.run({.rounds = 15, .budget = 60});
}

}  // namespace

int main(int argc, char** argv) {
  forkful::init(argc, argv);
  score_sheet sheet(argc, argv, "starting");
  if (sheet.wanted("S8")) small_program(sheet);
  if (sheet.wanted("S9")) large_program(sheet);
  return sheet.finish();
}
