// Reports that no call has to be made for: ordinary ones and odd ones. Their figures agree with each other.
#pragma once

#include <algorithm>
#include <forkful/report.hpp>
#include <string>
#include <utility>
#include <vector>

namespace made_up {

using std::chrono::nanoseconds;

/// A worker's row, its idle time being what is left of the wall.
inline forkful::worker_row row(unsigned worker, nanoseconds wall, nanoseconds compute) {
  forkful::worker_row made;
  made.worker = worker;
  made.time.start = wall / 50;
  made.time.pass_in = wall / 100;
  made.time.wake = wall / 200;
  made.time.compute = compute;
  made.time.pass_out = wall / 80;
  made.time.idle = wall - made.time.sum();
  made.page_faults = 120 + worker;
  made.peak_memory = 9'000'000 + worker;
  made.peak_private = 2'000'000 + worker;
  made.off_core = compute / 30;
  return made;
}

/// `chunks` chunks of ten slices on `workers` workers, each a little longer than the one before it, with a timeline.
inline forkful::report ordinary(std::size_t chunks, unsigned workers) {
  forkful::report call;
  call.way = "process";
  call.verb = "map";
  call.pool = 3;
  call.call = 7;
  call.began = nanoseconds{81'123'456'789};
  call.slices = chunks * 10;
  call.chunks = chunks;
  call.workers = workers;
  call.has_timeline = true;
  std::vector<nanoseconds> free_from(workers, nanoseconds{40'003});
  std::vector<nanoseconds> compute(workers);
  std::vector<forkful::worker_row> counts(workers);
  for (std::size_t index = 0; index < chunks; ++index) {
    const auto next = std::min_element(free_from.begin(), free_from.end());
    const auto worker = static_cast<unsigned>(next - free_from.begin());
    const nanoseconds length{80'001 + static_cast<long>(index * 7919 % 60'013)};
    forkful::timeline_chunk chunk;
    chunk.worker = worker;
    chunk.first = index * 10;
    chunk.count = 10;
    chunk.begin = *next + nanoseconds{211};
    chunk.pass_in = nanoseconds{2'017};
    chunk.pass_out = nanoseconds{3'011};
    chunk.end = chunk.begin + length;
    *next = chunk.end;
    compute[worker] += length - chunk.pass_in - chunk.pass_out;
    counts[worker].slices += 10;
    counts[worker].chunks += 1;
    call.recorded.chunks.push_back(chunk);
    call.slowest.push_back({chunk.first, 10, worker, length, length / 7});
  }
  std::stable_sort(call.recorded.chunks.begin(), call.recorded.chunks.end(),
                   [](const auto& a, const auto& b) { return a.worker < b.worker; });
  std::stable_sort(call.slowest.begin(), call.slowest.end(),
                   [](const auto& a, const auto& b) { return a.time > b.time; });
  call.slowest.resize(std::min<std::size_t>(call.slowest.size(), 5));
  const nanoseconds last = workers == 0 ? nanoseconds{0} : *std::max_element(free_from.begin(), free_from.end());
  call.wall = last + last / 10 + nanoseconds{30'001};
  for (unsigned worker = 0; worker < workers; ++worker) {
    forkful::worker_row made = row(worker, call.wall, compute[worker]);
    made.slices = counts[worker].slices;
    made.chunks = counts[worker].chunks;
    made.bytes_copied_on_write = 4096 * (worker + 1);
    call.bytes_copied_on_write += made.bytes_copied_on_write;
    call.page_faults += made.page_faults;
    call.per_worker.push_back(made);
    call.recorded.events.push_back(
        {forkful::timeline_event::kind::worker_started, worker, 0, nanoseconds{20'000 + 500 * worker}, ""});
  }
  using step = forkful::timeline_step::kind;
  call.recorded.caller = {{step::start, nanoseconds{0}, nanoseconds{20'000}},
                          {step::pass_in, nanoseconds{20'000}, nanoseconds{31'000}},
                          {step::wake, nanoseconds{31'000}, nanoseconds{40'003}},
                          {step::idle, nanoseconds{40'003}, last},
                          {step::reassemble, last, call.wall}};
  call.queued = nanoseconds{211};
  call.caller.start = nanoseconds{20'000};
  call.caller.pass_in = nanoseconds{11'000};
  call.caller.wake = nanoseconds{9'003};
  call.caller.reassemble = call.wall - last;
  call.caller.idle = call.wall - call.caller.sum();
  call.away = call.caller.idle / 9;
  call.bytes_in = call.slices * 24;
  call.bytes_broadcast = call.slices * 4;
  call.bytes_out = call.slices * 48;
  call.bytes_shared = 8'000'000;
  call.arena_bytes = 12'582'912;
  call.peak_memory = 44'000'000;
  call.threads_at_fork = 1;
  call.advice = "Nothing to mend: the workers computed for most of the time.";
  return call;
}

/// Two workers died and a slice failed; their messages are meant to break a page.
inline forkful::report with_crashes() {
  forkful::report call = ordinary(40, 2);
  using kind = forkful::timeline_event::kind;
  call.deaths = 2;
  call.retries = 2;
  call.per_worker[1].deaths = 2;
  call.recorded.events.push_back({kind::worker_died, 1, 73, nanoseconds{500'000}, "signal 11 (SIGSEGV)"});
  call.recorded.events.push_back({kind::worker_started, 1, 0, nanoseconds{560'000}, ""});
  call.recorded.events.push_back({kind::slice_failed, 0, 91, nanoseconds{700'000},
                                  "std::runtime_error: </script><img src=x onerror=alert(1)> \"\\ \xff \u2028"});
  call.recorded.events.push_back({kind::worker_died, 1, 240, nanoseconds{1'500'000}, "exit status 3"});
  call.warnings = {"2 workers died & were replaced: <see> the timeline.", "Fork from a program with 4 threads."};
  call.advice = "Mend slice 73 first: it ended a worker with signal 11 (SIGSEGV).";
  call.threads_at_fork = 4;
  return call;
}

inline forkful::report without_timeline() {
  forkful::report call = ordinary(12, 3);
  call.has_timeline = false;
  call.recorded = {};
  call.bytes_copied_on_write = 0;
  for (forkful::worker_row& each : call.per_worker) each.bytes_copied_on_write = 0;
  return call;
}

inline forkful::report serial() {
  forkful::report call = ordinary(1, 1);
  call.way = "serial";
  call.verb = "for_each";
  call.bytes_in = call.bytes_broadcast = call.bytes_out = call.bytes_shared = 0;
  call.threads_at_fork = 0;
  return call;
}

inline forkful::report one_slice() {
  forkful::report call = ordinary(1, 2);
  call.slices = 1;
  call.recorded.chunks[0].count = 1;
  call.per_worker[0].slices = 1;
  call.slowest[0].count = 1;
  return call;
}

/// The program was killed in the middle: no figures were summed up.
inline forkful::report unfinished() {
  forkful::report call = ordinary(20, 2);
  call.finished = false;
  call.wall = call.recorded.caller[3].begin;
  call.recorded.caller.resize(3);
  call.warnings = {"The program ended in the middle of this call."};
  return call;
}

inline forkful::report thinned() {
  forkful::report call = ordinary(300, 4);
  call.recorded.thinned = true;
  for (forkful::timeline_chunk& chunk : call.recorded.chunks) chunk.merged = 8;
  return call;
}

inline forkful::report snapshot() {
  forkful::report call = ordinary(16, 4);
  call.way = "snapshot";
  call.verb = "update";
  call.bytes_in = call.bytes_broadcast = 0;
  call.bytes_shared = 0;
  call.bytes_copied_on_write = 5'200'000'000;
  for (forkful::worker_row& each : call.per_worker) each.bytes_copied_on_write = 1'300'000'000;
  return call;
}

/// By the name that a file of them should have.
inline std::vector<std::pair<std::string, forkful::report>> all() {
  return {{"ordinary", ordinary(60, 2)}, {"crashes", with_crashes()},   {"no-timeline", without_timeline()},
          {"serial", serial()},          {"one-slice", one_slice()},    {"unfinished", unfinished()},
          {"thinned", thinned()},        {"snapshot", snapshot()},      {"empty", forkful::report{}},
          {"no-slices", ordinary(0, 2)}, {"wide", ordinary(4'000, 64)}, {"large", ordinary(10'000, 8)}};
}

}  // namespace made_up
