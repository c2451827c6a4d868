// Workloads on a course: each is judged by advise() and then really run on every kind of pool, in turns; the score is kept by list.
//
// Owns the pools. Invariants:
// 1. Workers are forked before this process has threads.
// 2. What forks has turns of its own: its caller's next writes copy pages, which is no cost of the way that would come next.
// 3. A time counts only if nobody else ran just before and just after it, as far as the kernel says; where too few are left of a
//    workload, all its times count, and it is said to be disturbed.
#pragma once

#include <chrono>
#include <forkful/forkful.hpp>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "advice/score.hpp"
#include "race/crew.hpp"
#include "race/work.hpp"

namespace advice_bench {

using clock_type = std::chrono::steady_clock;

// Of a call; what it gave is destroyed when the clock has stopped.
template <class Call>
double seconds_of(Call&& call) {
  const auto began = clock_type::now();
  const auto since = [&] { return std::chrono::duration<double>(clock_type::now() - began).count(); };
  if constexpr (std::is_void_v<decltype(call())>) {
    call();
    return since();
  } else {
    const auto result = call();
    return since();
  }
}

class course {
 public:
  // `short_course`: every fifth workload. `wanted`: only those whose name contains one of these; empty: all.
  course(bool short_course, std::vector<std::string> wanted);
  course(const course&) = delete;
  course& operator=(const course&) = delete;

  void begin(list which) { list_ = which; }

  // The same verb on every pool.
  template <class Range, class F>
  void map(const std::string& name, Range&& range, F f, bool parallel_already = false) {
    if (!chosen(name)) return;
    workload work{.name = name, .told = forkful::advise(range, f), .parallel_already = parallel_already};
    const auto on = [&](auto& pool) { return [&] { return seconds_of([&] { return pool.map(range, f); }); }; };
    work.ways = {{"serial", on(loop_)},
                 {"one", on(serial_)},
                 {"thread", on(threads_)},
                 {"process", on(processes_)},
                 {"auto", on(automatic_)}};
    if (!parallel_already) work.ways.push_back({"snapshot", on(snapshots_)});
    finish(work);
  }
  // The same in place, in shared memory.
  template <class Range, class F>
  void in_place(const std::string& name, Range&& range, F f) {
    if (!chosen(name)) return;
    workload work{.name = name, .told = forkful::advise(range, f)};
    const auto on = [&](auto& pool) { return [&] { return seconds_of([&] { pool.for_each(range, f); }); }; };
    work.ways = {{"serial", on(loop_)},       {"one", on(serial_)},     {"thread", on(threads_)},
                 {"process", on(processes_)}, {"auto", on(automatic_)}, {"snapshot", on(snapshots_)}};
    finish(work);
  }
  // A work of `forkful race`, once in ordinary memory and, where it can, once in shared memory.
  void race(std::string_view work, const std::string& name, const race::work_options& said,
            bool parallel_already = false);

  [[nodiscard]] const std::vector<result>& results() const noexcept { return results_; }

 private:
  struct way {
    const char* name;
    std::function<double()> run;  // seconds
    std::vector<double> times{};
    std::vector<double> quiet{};  // of those, the undisturbed
  };
  struct workload {
    std::string name;
    forkful::advice told;
    std::vector<way> ways{};
    bool parallel_already = false;
    std::chrono::milliseconds rest{1};
  };

  [[nodiscard]] bool chosen(const std::string& name);
  static bool run_in_turns(workload& work);
  static void run_round(workload& work, std::span<way> ways, const clock_type::time_point& until, double& spent);
  void finish(workload& work);

  race::loop loop_{};  // what advise() calls the loop: no pool at all
  forkful::serial_pool serial_{};
  forkful::process_pool processes_{2};
  forkful::snapshot_pool snapshots_{2};
  forkful::thread_pool threads_{2};
  forkful::auto_pool automatic_{2};
  bool short_course_;
  std::size_t met_ = 0;
  std::vector<std::string> wanted_;
  list list_ = list::tuned;
  std::vector<result> results_{};
};

// Machine code that is the same on every pool, and how much of it takes how long.
double chew(std::size_t steps);
std::size_t steps_in(double seconds);
std::string text_of(double seconds);

void tuned_workloads(course&);
void judged_workloads(course&);
void text_programs(course&);
void number_programs(course&);
void race_works(course&);
// Last: OpenMP's threads are here from then on.
void tuned_parallel_workloads(course&);
void judged_parallel_workloads(course&);

}  // namespace advice_bench
