// Is the advice right? (goals A1-A4): more than 60 workloads - lengths, numbers, shapes, bytes, memory, sleep, callables that are
// parallel already - are judged by advise() and then really run on every kind of pool, in turns.
//   A1  the verdict, where loop and best parallel way differ by more than 20 %: a table of what advise() said against what is true
//   A2  the predicted time of each way against the median measured: relative error, median and 90th percentile
//   A3  auto_pool against the better of serial_pool and thread_pool
//   A4  whether parallel callables are recognised
// Names on the command line choose workloads that contain them. A benchmark reports; it never fails.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <forkful/forkful.hpp>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "format/fmt.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

// What a call gave, if it gave a value: destroyed when the clock has stopped.
using outcome = std::shared_ptr<void>;

double seconds(const std::function<outcome()>& work) {
  const auto began = clock_type::now();
  const outcome result = work();
  return std::chrono::duration<double>(clock_type::now() - began).count();
}

double percentile(std::vector<double> all, double share) {
  std::sort(all.begin(), all.end());
  return all.empty() ? 0
                     : all[std::min(all.size() - 1, static_cast<std::size_t>(share * static_cast<double>(all.size())))];
}

// ---- What slices do ----

// Not inlined, so that it is the same code on every pool.
[[gnu::noinline]] double chew(std::size_t steps) {
  double x = 1;
  for (std::size_t i = 0; i < steps; ++i) x = std::sqrt(x + 1);
  return x;
}

double steps_a_second() {
  static const double rate = [] {
    constexpr std::size_t steps = 200'000;
    double best = 1e9;
    for (int i = 0; i < 9; ++i)
      best = std::min(best, seconds([] {
                        volatile double x = chew(steps);
                        (void)x;
                        return outcome();
                      }));
    return steps / best;
  }();
  return rate;
}
std::size_t steps_in(double time) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(time * steps_a_second()));
}

struct parcel {
  std::size_t steps = 0;
  std::vector<char> load;
};

[[gnu::noinline]] double sum_of(std::span<const double> part) {
  double sum = 0;
  for (const double x : part) sum += x;
  return sum;
}

// ---- Running it every way ----

struct pools {
  forkful::serial_pool serial;
  forkful::thread_pool threads{2};
  forkful::process_pool processes{2};  // before OpenMP is used: its threads do not survive a fork
  forkful::snapshot_pool snapshots{2};
  forkful::auto_pool automatic{2};
};

struct way {
  const char* name;
  std::function<outcome()> run;
  std::vector<double> times{};
  [[nodiscard]] double median() const { return percentile(times, 0.5); }
};

struct workload {
  std::string name;
  forkful::advice told;
  std::vector<way> ways;
};

void run_in_turns(workload& work) {
  double spent = 0;
  for (int round = 0; round < 60 && (round < 6 || spent < 0.35); ++round) {
    for (way& each : work.ways) {
      const double took = seconds(each.run);
      spent += took;
      if (round != 0) each.times.push_back(took);
      // Workers fall asleep, as they do while a program does something else between its calls.
      const auto until = clock_type::now() + std::chrono::milliseconds(1);
      while (clock_type::now() < until) {
      }
    }
  }
}

struct score {
  int right = 0, wrong = 0, unsure = 0;    // of those that differ by more than 20 %
  int close_said = 0, close_not_said = 0;  // of the other workloads
  std::vector<double> errors{};
  std::vector<double> automatic{};  // over the better of loop and threads
  std::vector<std::string> misses{};
  int parallel = 0, recognised = 0, falsely = 0;
};

template <class Results>
outcome kept(Results&& results) {
  return std::make_shared<std::remove_cvref_t<Results>>(std::forward<Results>(results));
}

class course {
 public:
  course(int argc, char** argv) : wanted_(argv + 1, argv + argc) {
    fmt::print("{:<34} {:>9} {:>9} {:>9} {:>9} {:>9}  {}\n{:<34} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "workload", "serial",
               "thread", "process", "snapshot", "auto", "said", "", "error", "error", "error", "error", "/ best");
  }

  // `map`-like work: the same verb on every pool.
  template <class Range, class F>
  void map(const std::string& name, Range&& range, F f, bool parallel_already = false) {
    if (!chosen(name)) return;
    workload work{name, forkful::advise(range, f), {}};
    work.ways = {{"serial", [&] { return kept(all_.serial.map(range, f)); }},
                 {"thread", [&] { return kept(all_.threads.map(range, f)); }},
                 {"process", [&] { return kept(all_.processes.map(range, f)); }},
                 {"auto", [&] { return kept(all_.automatic.map(range, f)); }}};
    if (!parallel_already) work.ways.push_back({"snapshot", [&] { return kept(all_.snapshots.map(range, f)); }});
    finish(work, parallel_already);
  }
  // The same in place, in shared memory.
  template <class Range, class F>
  void in_place(const std::string& name, Range&& range, F f) {
    if (!chosen(name)) return;
    workload work{name, forkful::advise(range, f), {}};
    work.ways = {{"serial",
                  [&] {
                    all_.serial.for_each(range, f);
                    return outcome();
                  }},
                 {"thread",
                  [&] {
                    all_.threads.for_each(range, f);
                    return outcome();
                  }},
                 {"process",
                  [&] {
                    all_.processes.for_each(range, f);
                    return outcome();
                  }},
                 {"auto",
                  [&] {
                    all_.automatic.for_each(range, f);
                    return outcome();
                  }},
                 {"snapshot", [&] {
                    all_.snapshots.for_each(range, f);
                    return outcome();
                  }}};
    finish(work, false);
  }

  void print_score() const {
    const score& s = score_;
    const int clear = s.right + s.wrong + s.unsure;
    fmt::print("\nA1  of {} workloads, {} where loop and best parallel way differ by more than 20 %:\n",
               clear + s.close_said + s.close_not_said, clear);
    fmt::print("    right {}, wrong {}, \"too close\" {}: {:.0f} % right (goal 95)\n", s.right, s.wrong, s.unsure,
               100.0 * s.right / std::max(1, clear));
    fmt::print("    of the {} others: \"too close\" {}, a verdict {}\n", s.close_said + s.close_not_said, s.close_said,
               s.close_not_said);
    for (const std::string& miss : s.misses) fmt::print("    missed: {}\n", miss);
    fmt::print("A2  predicted time, {} of them: error median {:.1f} % (goal 10), 90th percentile {:.1f} % (goal 25)\n",
               s.errors.size(), 100 * percentile(s.errors, 0.5), 100 * percentile(s.errors, 0.9));
    fmt::print(
        "A3  auto_pool over the better of serial_pool and thread_pool: median {:.3f}, 90th percentile {:.3f}, most "
        "{:.3f} (goal 1.05)\n",
        percentile(s.automatic, 0.5), percentile(s.automatic, 0.9), percentile(s.automatic, 1));
    fmt::print("A4  parallel already: {} of {} recognised, {} others taken for it\n", s.recognised, s.parallel,
               s.falsely);
  }

 private:
  [[nodiscard]] bool chosen(const std::string& name) const {
    return wanted_.empty() || std::any_of(wanted_.begin(), wanted_.end(), [&](const std::string& word) {
             return name.find(word) != std::string::npos;
           });
  }

  void finish(workload& work, bool parallel_already) {
    run_in_turns(work);
    const auto took = [&](std::string_view name) {
      for (const way& each : work.ways) {
        if (each.name == name) return each.median();
      }
      return 0.0;
    };
    std::string times;
    std::string errors;
    double best = 1e9;
    for (const char* name : {"serial", "thread", "process", "snapshot"}) {
      const double real = took(name);
      times += real == 0 ? fmt::format(" {:>9}", "-") : fmt::format(" {:>7.1f}us", 1e6 * real);
      double error = 0;
      for (const forkful::expected_time& each : work.told.ways) {
        if (each.way == name && each.possible && real != 0) {
          error = 1e-9 * static_cast<double>(each.time.count()) / real - 1;
          score_.errors.push_back(std::abs(error));
        }
      }
      errors += real == 0 ? fmt::format(" {:>9}", "") : fmt::format(" {:>+8.0f}%", 100 * error);
      if (std::string_view(name) != "serial" && real != 0) best = std::min(best, real);
    }
    const double loop = took("serial");
    const double automatic = took("auto") / std::min(loop, took("thread"));
    score_.automatic.push_back(automatic);
    const std::string said = work.told.too_close ? "too close" : work.told.parallel ? "parallel" : "loop";
    const bool pays = best < loop;
    const bool clear = std::max(best, loop) > 1.2 * std::min(best, loop);
    if (!clear) {
      (work.told.too_close ? score_.close_said : score_.close_not_said)++;
    } else if (work.told.too_close) {
      ++score_.unsure;
    } else if (work.told.parallel == pays) {
      ++score_.right;
    } else {
      ++score_.wrong;
    }
    const bool missed = clear && (work.told.too_close || work.told.parallel != pays);
    if (missed)
      score_.misses.push_back(
          fmt::format("{}: said {}, loop {:.1f} us, best {:.1f} us", work.name, said, 1e6 * loop, 1e6 * best));
    score_.parallel += parallel_already ? 1 : 0;
    score_.recognised += parallel_already && work.told.already_parallel ? 1 : 0;
    score_.falsely += !parallel_already && work.told.already_parallel ? 1 : 0;
    fmt::print("{:<34}{} {:>7.1f}us  {}{}\n{:<34}{} {:>9.3f}\n", work.name, times, 1e6 * took("auto"), said,
               missed ? "  MISSED" : "", "", errors, automatic);
    std::fflush(stdout);
  }

  std::vector<std::string> wanted_;
  pools all_;
  score score_;
};

std::string text_of(double time) {
  return time < 1e-6   ? fmt::format("{:.0f}ns", 1e9 * time)
         : time < 1e-3 ? fmt::format("{:.0f}us", 1e6 * time)
                       : fmt::format("{:.0f}ms", 1e3 * time);
}

void equal_slices(course& on) {
  for (const double all : {30e-6, 150e-6, 600e-6, 3e-3, 20e-3}) {
    for (const double each : {200e-9, 2e-6, 20e-6, 200e-6, 2e-3}) {
      const auto count = static_cast<std::size_t>(all / each);
      if (count < 3) continue;
      const std::vector<std::size_t> steps(count, steps_in(each));
      on.map(fmt::format("equal {} x {}", count, text_of(each)), steps, [](std::size_t n) { return chew(n); });
    }
  }
}

void uneven_slices(course& on) {
  std::mt19937_64 random(7);
  for (const double mean : {5e-6, 20e-6, 50e-6, 500e-6}) {
    constexpr std::size_t count = 60;
    std::vector<std::size_t> linear(count), exponential(count), bimodal(count), giant(count);
    std::exponential_distribution<double> lengths(1);
    for (std::size_t i = 0; i < count; ++i) {
      linear[i] = steps_in(2 * mean * (static_cast<double>(i) + 0.5) / count);
      exponential[i] = steps_in(mean * lengths(random));
      bimodal[i] = steps_in(i % 10 == 3 ? 5.3 * mean : 0.53 * mean);
      giant[i] = steps_in(i == 0 ? mean * count / 2 : mean / 2);
    }
    for (const auto& [name, steps] :
         {std::pair{"linear", linear}, {"exponential", exponential}, {"bimodal", bimodal}, {"giant", giant}}) {
      on.map(fmt::format("{} {} x {}", name, count, text_of(mean)), steps, [](std::size_t n) { return chew(n); });
    }
  }
}

void copied_slices(course& on) {
  for (const std::size_t bytes : {std::size_t{1'000}, std::size_t{60'000}, std::size_t{1'000'000}}) {
    for (const double each : {1e-6, 30e-6, 500e-6}) {
      const std::size_t count = bytes > 100'000 ? 16 : 100;
      const std::vector<parcel> parcels(count, parcel{steps_in(each), std::vector<char>(bytes, 'c')});
      on.map(fmt::format("copied {} x {} B, {}", count, bytes, text_of(each)), parcels, [](const parcel& one) {
        parcel finished = one;
        finished.steps = static_cast<std::size_t>(chew(one.steps));
        return finished;
      });
    }
  }
}

void numbers_in_place(course& on) {
  for (const std::size_t count : {std::size_t{10'000}, std::size_t{100'000}, std::size_t{400'000},
                                  std::size_t{1'000'000}, std::size_t{5'000'000}}) {
    forkful::shared_vector<double> table(count, 1e9);
    on.in_place(fmt::format("in place {} x 8 sqrt", count), table, [](double& x) {
      for (int i = 0; i < 8; ++i) x = std::sqrt(x);
    });
    on.in_place(fmt::format("in place {} x +1", count), table, [](double& x) { x += 1; });
    on.map(fmt::format("sums of {} numbers", count), forkful::slices(table, 16),
           [](std::span<const double> part) { return sum_of(part); });
  }
}

void sleeping_slices(course& on) {
  for (const auto& [count, time] : {std::pair<std::size_t, int>{4, 300}, {20, 300}, {8, 2000}}) {
    on.map(fmt::format("sleep {} x {}us", count, time), std::vector<int>(count, time), [](int microseconds) {
      std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
      return microseconds;
    });
  }
}

// Last: OpenMP's threads are here from now on.
void parallel_already(course& on) {
  for (const double each : {1e-3, 5e-3}) {
    on.map(
        fmt::format("OpenMP inside, 12 x {}", text_of(each)), std::vector<std::size_t>(12, steps_in(each)),
        [](std::size_t n) {
          double sum = 0;
#pragma omp parallel for reduction(+ : sum)
          for (int i = 0; i < 64; ++i) sum += chew(n / 64);
          return sum;
        },
        true);
  }
}

}  // namespace

int main(int argc, char** argv) {
  course on(argc, argv);
  equal_slices(on);
  uneven_slices(on);
  copied_slices(on);
  numbers_in_place(on);
  sleeping_slices(on);
  parallel_already(on);
  on.print_score();
}
