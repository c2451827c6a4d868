// S19: what a crash costs the calls of another thread. Two threads share a pool of 2; a slice of one thread's crashes, and the calls
// of the other are timed, from when the crashing call begins until it has failed: the worker is found dead, its rest is published
// again, a new worker is started, and the crash gets its name. Each round is a program of its own, so its crash is the first:
// nothing that names it has been read yet. Beside it the same where slices throw for 5 ms, which ends no worker: what two threads
// that share a pool and two cores wait for each other anyway.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <forkful/forkful.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "side_by_side/contest.hpp"
#include "side_by_side/served.hpp"

using namespace forkful_bench;

namespace {

int crash(int slice) {
  std::raise(SIGSEGV);
  return slice;
}
int refuse(int) { throw std::runtime_error("this slice is refused"); }

// True if the call failed as it should.
bool crashes(forkful::process_pool& pool) {
  try {
    keep(pool.map({1}, crash).size());
  } catch (const forkful::worker_crashed&) {
    return true;
  }
  return false;
}
bool throws(forkful::process_pool& pool) {
  try {
    keep(pool.map({1}, refuse).size());
  } catch (const std::runtime_error&) {
    return true;
  }
  return false;
}
bool throws_for_5_ms(forkful::process_pool& pool) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
  bool always = true;
  while (std::chrono::steady_clock::now() < until) always = throws(pool) && always;
  return always;
}

// The calls of this thread that were under way at some time while the other thread did `what`.
measured calls_meanwhile(bool (*what)(forkful::process_pool&)) {
  forkful::process_pool pool{2};
  const std::vector<int> four{1, 2, 3, 4};
  std::vector<int> finished;
  const auto call = [&] { finished = pool.map(four, [](int x) { return x * x; }); };
  for (int i = 0; i < 1000; ++i) call();
  std::atomic<bool> begun{false};
  std::atomic<bool> over{false};
  bool failed = false;
  std::thread other([&] {
    begun = true;
    failed = what(pool);
    over = true;
  });
  measured taken;
  while (!over) {
    const double took = seconds(call);
    if (begun) taken.values.push_back(took);
  }
  other.join();
  taken.check = failed && finished == std::vector<int>{1, 4, 9, 16} ? "failed_as_it_should" : "did_not_fail";
  return taken;
}

// The same rounds, for two figures.
class rounds {
 public:
  explicit rounds(const char* what) : command_(this_program({"--as", what})) {}
  measured one() {
    peer_process program(command_);
    if (!program.alive()) throw std::runtime_error(program.why());
    auto [values, check] = program.round();
    // On a busy machine a thread may sleep through it all.
    if (!values.empty()) longest_.push_back(*std::max_element(values.begin(), values.end()));
    return {std::move(values), std::move(check)};
  }
  [[nodiscard]] const std::vector<double>& longest() const { return longest_; }

 private:
  std::vector<std::string> command_;
  std::vector<double> longest_{};
};

goal p99_at_most_a_millisecond() {
  return {"p99 at most 1 ms", 1e-3,
          [](const row& of) {
            const lane* ours = of.ours();
            return ours == nullptr ? std::optional<double>{} : ours->values.p99;
          },
          false, "s"};
}

void calls_during_a_crash(score_sheet& sheet) {
  rounds crashing("crashing");
  rounds throwing("throwing");
  contest each_call(sheet, "S19", "a thread's calls (map of 4 numbers) while a slice of another's fails");
  each_call.ours("process_pool, the slice crashes", [&] { return crashing.one(); })
      .peer("process_pool, slices throw", [&] { return throwing.one(); })
      .absent("Python ProcessPoolExecutor", "a crash fails the calls of all threads: BrokenProcessPool")
      .absent("Python Pool", "a call whose worker crashed never returns")
      .absent("oneTBB, OpenMP", "a crash ends the program")
      .tails()
      .goal(p99_at_most_a_millisecond());
  row longest = each_call.run({.rounds = 200, .budget = 40, .thrown_away = 0});

  // The same rounds, the other figure.
  longest.title = "the same: the longest such call of each round";
  for (lane& each : longest.lanes) {
    if (!each.ran()) continue;
    each.values = spread_of(each.ours ? crashing.longest() : throwing.longest());
  }
  longest.verdicts.clear();
  longest.note = "No goal here: it is one call of each round.";
  sheet.add(longest);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--as") {
    const bool crashing = std::string(argv[2]) == "crashing";
    return serve([&] { return calls_meanwhile(crashing ? crashes : throws_for_5_ms); });
  }
  score_sheet sheet(argc, argv, "crashes");
  if (sheet.wanted("S19")) calls_during_a_crash(sheet);
  return sheet.finish();
}
