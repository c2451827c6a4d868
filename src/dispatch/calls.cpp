// What every call passes, whatever runs it: it is begun on its engine, carried on, concluded and added up, and its
// report is stored for last_report(). The functions of forkful/detail/job.hpp that are not an engine's own.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <forkful/detail/job.hpp>
#include <forkful/errors.hpp>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

#include "board/board.hpp"
#include "measure/listener.hpp"
#include "measure/recorder.hpp"
#include "measure/totals.hpp"
#include "memory/arena.hpp"
#include "os/account.hpp"
#include "os/cancellation.hpp"
#include "report/remarks.hpp"
#include "report/reporter.hpp"

namespace forkful::detail {

namespace {

// ---- Beginning ----

std::atomic<std::uint64_t> calls{0};

// What holds on every pool.
void check(const call_options& options) {
  if (options.attempts == 0 || options.attempts > max_attempts) {
    throw std::invalid_argument("forkful: call_options::attempts is 1 to " + std::to_string(max_attempts));
  }
  if (options.timeout.count() < 0) {
    throw std::invalid_argument("forkful: call_options::timeout is a length of time, or 0 for none");
  }
  if (options.stop.stop_requested()) {
    throw cancelled("the call was stopped before it began: its stop_token had been asked to stop already");
  }
}

// What is known of a call when it begins, but for its verb. Takes no memory, so that a call that has begun cannot fail of it.
void describe(report& known, const engine& running, const job& work, std::uint64_t number) noexcept {
  known.way = running.way();
  known.began = std::chrono::nanoseconds(work.began_ns);
  known.pool = running.number();
  known.call = number;
  known.workers = running.size();
  known.slices = work.all();
  known.bytes_broadcast = known.bytes_in = work.bytes_broadcast;
  known.bytes_shared = work.bytes_shared;
}

// ---- Storing reports ----

// Keyed by the engine's number, which is never used twice: a pool made at a dead pool's address has no report yet.
struct last {
  report happened;
  bool described = false;  // what is said of the figures is in it
};
using reports = std::unordered_map<std::uint64_t, last>;
constexpr std::size_t stored_reports = 64;

// This thread's, made with its first call. Verbs may be called as late as in static destructors, or in those of other thread_local
// objects: when the thread's own objects are gone already, the reports made from then on are never destroyed. A pointer and a flag
// have no destructors, so they can be looked at until the thread's last instruction.
thread_local reports* last_reports = nullptr;
thread_local bool thread_ending = false;

reports& reports_of_thread() {
  struct ends {
    ~ends() {
      delete std::exchange(last_reports, nullptr);
      thread_ending = true;
    }
  };
  if (last_reports == nullptr) {
    auto made = std::make_unique<reports>();
    if (!thread_ending) {
      static thread_local const ends at_end_of_thread;
      static_cast<void>(at_end_of_thread);
    }
    last_reports = made.release();
  }
  return *last_reports;
}

// Shared pages once: the caller has them too, but for shared memory that only workers have touched.
std::size_t peak_of_all(const report& happened) noexcept {
  std::size_t peak = read_account().peak_memory;
  std::size_t shared = 0;
  for (const worker_row& row : happened.per_worker) {
    peak += row.peak_private;
    shared += row.peak_memory - row.peak_private;
  }
  return peak + std::min(shared, happened.arena_bytes - std::min(happened.arena_bytes, resident_shared()));
}

// The figures that can wait until the program asks.
void complete(report& happened) {
  if (happened.way == "process" || happened.way == "snapshot") happened.arena_bytes = arena::own().bytes_taken();
  happened.peak_memory = peak_of_all(happened);
}

}  // namespace

std::unique_ptr<ongoing> begin_job(engine& running, job& work, const call_options& options,
                                   std::shared_ptr<void> owner) {
  const cancellation_deferred whole;
  check(options);
  const std::uint64_t number = calls.fetch_add(1, std::memory_order_relaxed) + 1;
  if (running.records()) {
    report known;
    describe(known, running, work, number);
    known.verb = work.verb;
    work.recorded = std::make_shared<recorder>(known, report_begin(known));
  }
  std::unique_ptr<ongoing> begun = running.begin(work, options, std::move(owner));
  describe(begun->happened, running, work, number);
  begun->counted_in = running.sums();
  return begun;
}

void conclude_job(std::uint64_t engine_number, ongoing& call) {
  const cancellation_deferred whole;
  const auto keep = [&] {
    call.counted_in->add(call.happened);
    reports& of_thread = reports_of_thread();
    if (of_thread.size() >= stored_reports) of_thread.clear();
    last& mine = of_thread[engine_number];
    mine.happened = std::move(call.happened);
    mine.described = false;
    if (!reporting()) return;
    // What is said of the figures is made when the program has ended.
    complete(mine.happened);
    report_finished(mine.happened);
  };
  try {
    call.conclude();
  } catch (...) {
    keep();
    throw;
  }
  keep();
}

void run_job(engine& running, job& work, const call_options& options) {
  const cancellation_deferred whole;
  const std::unique_ptr<ongoing> call = begin_job(running, work, options, nullptr);
  if (work.slices != 0) call->advance({});
  conclude_job(running.number(), *call);
}

report last_report(const engine& running) {
  const cancellation_deferred whole;
  if (last_reports == nullptr) return {.calls = 0};
  const auto found = last_reports->find(running.number());
  if (found == last_reports->end()) return {.calls = 0};
  if (!std::exchange(found->second.described, true)) {
    complete(found->second.happened);
    advise_on(found->second.happened, cpus_to_use());
  }
  return found->second.happened;
}

void forget_report(std::uint64_t engine_number) noexcept {
  if (last_reports != nullptr) last_reports->erase(engine_number);
}

report total_report(const engine& running) {
  const cancellation_deferred whole;
  report all = running.sums()->so_far();
  if (all.calls == 0) return all;
  complete(all);
  advise_on(all, cpus_to_use());
  return all;
}

void reset_total(engine& running) noexcept { running.sums()->reset(); }

}  // namespace forkful::detail
