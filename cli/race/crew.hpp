// What runs: the loop, and a pool for every other way of a race, each timed around the one call that is compared.
//
// Owns the pools. They are there before the first round; a snapshot_pool forks at every call. Invariant: workers
// are forked before this process has threads of a thread_pool.
#pragma once

#include <chrono>
#include <cstddef>
#include <forkful/process_pool.hpp>
#include <forkful/report.hpp>
#include <forkful/serial_pool.hpp>
#include <forkful/snapshot_pool.hpp>
#include <forkful/thread_pool.hpp>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "race/way.hpp"

namespace race {

/// What each slice became, as bytes: the same for every way, else a way is wrong.
using results = std::vector<std::string>;

/// What one call of one way gave.
struct finish {
  std::chrono::nanoseconds time{0};
  std::chrono::nanoseconds cpu{0};  ///< of all threads of this process meanwhile
  forkful::report happened{};       ///< empty for the loop
  results output{};
};

/// The reference: nothing but a loop, with the verbs that works use.
struct loop {
  template <class Range, class F, class... A>
  auto map(const Range& range, const F& f, const A&... args) {
    std::vector<std::decay_t<std::invoke_result_t<const F&, decltype(*std::ranges::begin(range)), const A&...>>> output;
    output.reserve(std::ranges::size(range));
    for (auto&& slice : range) output.push_back(f(slice, args...));
    return output;
  }
  template <class Range, class F, class... A>
  void for_each(Range&& range, const F& f, const A&... args) {
    for (auto&& slice : range) f(slice, args...);
  }
  [[nodiscard]] static forkful::report report() { return {}; }
};

class crew {
 public:
  /// `workers`: 0 for as many as CPUs may be used. `recorded`: with timelines, for pictures; a serial_pool then stands
  /// for the loop, which records nothing. Throws forkful::start_failed.
  crew(std::span<const way> ways, unsigned workers, bool recorded);

  /// How many workers each pool has; 1 if there is only the loop.
  [[nodiscard]] unsigned workers() const noexcept { return workers_; }

  /// Times run(pool), whatever the way.
  template <class Run>
  finish timed(way which, Run&& run) {
    return in_own_memory(which) ? timed_here(which, run) : timed_apart(which, run);
  }
  /// The same for a callable that only serves the ways which run in this process's own memory: the loop and threads.
  template <class Run>
  finish timed_here(way which, Run&& run) {
    if (which == way::serial) return recorded_ ? around(there(serial_), run) : around(loop_, run);
    return around(there(threads_), run);
  }
  /// ... only the ways whose workers have a memory of their own.
  template <class Run>
  finish timed_apart(way which, Run&& run) {
    return which == way::snapshot ? timed_snapshot(run) : timed_processes(run);
  }
  template <class Run>
  finish timed_snapshot(Run&& run) {
    return around(there(snapshots_), run);
  }
  template <class Run>
  finish timed_processes(Run&& run) {
    return around(there(processes_), run);
  }

  static constexpr bool in_own_memory(way which) { return which == way::serial || which == way::thread; }

 private:
  /// Of all threads of this process.
  static std::chrono::nanoseconds cpu_time();
  template <class Pool, class Run>
  static finish around(Pool& pool, Run& run) {
    finish done;
    const auto cpu = cpu_time();
    const auto began = std::chrono::steady_clock::now();
    run(pool);
    done.time = std::chrono::steady_clock::now() - began;
    done.cpu = cpu_time() - cpu;
    done.happened = pool.report();
    return done;
  }
  template <class Pool>
  static Pool& there(std::optional<Pool>& pool) {
    if (!pool) throw std::logic_error("a way runs whose pool was not asked for");
    return *pool;
  }

  bool recorded_;
  unsigned workers_ = 1;
  loop loop_;
  std::optional<forkful::process_pool> processes_;
  std::optional<forkful::snapshot_pool> snapshots_;
  std::optional<forkful::serial_pool> serial_;
  std::optional<forkful::thread_pool> threads_;
};

}  // namespace race
