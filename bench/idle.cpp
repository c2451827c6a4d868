// S12: what a pool does while no call is under way. Between 1 ms and 2 s after the end of a call: how often the kernel
// switched to its workers and to the threads that it has in the caller, and how long they ran. Each pool has a process
// for itself, which is looked at from outside through /proc/PID/task/*/status and schedstat; the thread that made the
// call does not count.
#include <omp.h>

#include <chrono>
#include <forkful/forkful.hpp>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include "side_by_side/contest.hpp"
#include "side_by_side/process_tree.hpp"
#include "side_by_side/served.hpp"

using namespace forkful_bench;

namespace {

constexpr std::size_t slices = 200;

// About 50 us.
std::size_t chew(std::size_t i) {
  std::uint64_t x = i;
  for (int k = 0; k < 50'000; ++k) x = x * 6364136223846793005U + 1442695040888963407U;
  keep(x);
  return i;
}

std::string sum_of(const std::vector<std::size_t>& finished) {
  std::size_t sum = 0;
  for (const std::size_t each : finished) sum += each;
  return std::to_string(sum);
}

template <class Pool>
int serve_pool() {
  Pool pool{2};
  return serve([&] { return measured{{0}, sum_of(pool.map(forkful::indices(slices), chew))}; });
}

int serve_tbb() {
  tbb::global_control two(tbb::global_control::max_allowed_parallelism, 2);
  return serve([] {
    std::vector<std::size_t> finished(slices);
    tbb::parallel_for(std::size_t{0}, slices, [&](std::size_t i) { finished[i] = chew(i); });
    return measured{{0}, sum_of(finished)};
  });
}

int serve_openmp() {
  return serve([] {
    std::vector<std::size_t> finished(slices);
#pragma omp parallel for num_threads(2) schedule(dynamic)
    for (std::size_t i = 0; i < slices; ++i) finished[i] = chew(i);
    return measured{{0}, sum_of(finished)};
  });
}

// A call, and then two seconds of watching.
class watched {
 public:
  explicit watched(std::vector<std::string> command) : other_(std::move(command)) {}
  [[nodiscard]] const peer_process& other() const { return other_; }
  [[nodiscard]] const std::vector<double>& run_times() const { return run_times_; }

  measured switches() {
    using namespace std::chrono_literals;
    if (tree_.empty()) {
      other_.round();  // a thread that is started late exists after it
      tree_ = process_tree(other_.pid());
    }
    const scheduling first = scheduling_of(tree_);
    const auto [values, check] = other_.round();
    const auto ended = std::chrono::steady_clock::now();
    std::this_thread::sleep_until(ended + 1ms);
    const scheduling before = scheduling_of(tree_);
    // Only a thread that worked before can be idle: else the wrong threads are looked at.
    if (before.run_ns <= first.run_ns) throw std::runtime_error("its workers cannot be seen from outside");
    std::this_thread::sleep_until(ended + 2s);
    const scheduling after = scheduling_of(tree_);
    run_times_.push_back(1e-9 * static_cast<double>(after.run_ns - before.run_ns));
    return {{static_cast<double>(after.switches - before.switches)}, check};
  }

 private:
  peer_process other_;
  std::vector<pid_t> tree_{};
  std::vector<double> run_times_{};
};

// Not "mostly": in every round.
goal never(std::string text, std::string unit) {
  return {std::move(text), 0,
          [](const row& of) -> std::optional<double> {
            double most = 0;
            for (const lane& each : of.lanes)
              if (each.ours && each.ran()) most = std::max(most, each.values.p999);
            return of.ours() == nullptr ? std::optional<double>{} : most;
          },
          false, std::move(unit)};
}

void idle(score_sheet& sheet) {
  contest switches(sheet, "S12", "idle pool: context switches from 1 ms to 2 s after a call");
  switches.unit("switches");
  std::map<std::string, std::shared_ptr<watched>> all;
  const auto add = [&](const char* name, bool is_ours, std::vector<std::string> command) {
    auto one = std::make_shared<watched>(std::move(command));
    if (!one->other().alive()) {
      switches.absent(name, one->other().why());
      return;
    }
    all[name] = one;
    if (is_ours)
      switches.ours(name, [one] { return one->switches(); });
    else
      switches.peer(name, [one] { return one->switches(); });
  };
  add("process_pool", true, this_program({"--as", "process_pool"}));
  add("thread_pool", true, this_program({"--as", "thread_pool"}));
  add("oneTBB", false, this_program({"--as", "tbb"}));
  add("OpenMP, default wait policy", false, this_program({"--as", "openmp"}));
  add("Python Pool", false, python("idle.py"));
  switches.goal(never("none, in any round, of any pool of ours", "switches"));
  row run_times = switches.run({.rounds = 5, .budget = 120, .thrown_away = 0});

  // The same rounds, the other figure.
  run_times.title = "idle pool: time on a CPU from 1 ms to 2 s after a call";
  run_times.unit = "s";
  for (lane& each : run_times.lanes)
    if (const auto one = all.find(each.name); one != all.end()) each.values = spread_of(one->second->run_times());
  run_times.verdicts = {judge(never("none, in any round, of any pool of ours", "s"), run_times)};
  sheet.add(run_times);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--as") {
    const std::string_view name = argv[2];
    return name == "process_pool"  ? serve_pool<forkful::process_pool>()
           : name == "thread_pool" ? serve_pool<forkful::thread_pool>()
           : name == "tbb"         ? serve_tbb()
                                   : serve_openmp();
  }
  score_sheet sheet(argc, argv, "idle");
  if (sheet.wanted("S12")) idle(sheet);
  return sheet.finish();
}
