// The report as a trace in Chrome's JSON format, as ui.perfetto.dev reads it.
//
// A call is a process, and so is a total: thread one is the caller, the others are the workers. Invariants, without which the viewer drops slices:
// slices of one track nest (what does not fit is cut to fit), parents come before children, and no pid or tid is 0 or
// used twice. displayTimeUnit is left out: the viewer would note it as a peculiarity.

#include <algorithm>
#include <iterator>

#include "format/fmt.hpp"
#include "report/as_json.hpp"
#include "report/document.hpp"

namespace forkful {

namespace detail {

namespace {

using std::chrono::nanoseconds;

// The format counts microseconds. A tenth of a nanosecond more, because the viewer cuts 1.001 x 1000 off to 1000.
std::string microseconds(nanoseconds time) {
  return fmt::format("{}.{:03}1", time.count() / 1000, time.count() % 1000);
}

std::string slices_of(const timeline_chunk& chunk) {
  // Drawn together, they need not be neighbours.
  if (chunk.merged > 1) return fmt::format("{} slices from {} on", chunk.count, chunk.first);
  if (chunk.count == 0) return "no slices";
  if (chunk.count == 1) return fmt::format("slice {}", chunk.first);
  return fmt::format("slices {}-{}", chunk.first, chunk.first + chunk.count - 1);
}

std::string slices_of(const report& call, const timeline_chunk& chunk) {
  return call.calls == 1 ? slices_of(chunk) : fmt::format("{} of call {}", slices_of(chunk), chunk.call);
}

// "map", "200 calls of map"
std::string title_of(const report& call) {
  const std::string verb = call.verb.empty() ? "call" : call.verb;
  return call.calls == 1 ? verb : fmt::format("{} calls of {}", call.calls, verb);
}

struct track {
  std::uint64_t process;
  std::uint64_t thread;
  nanoseconds origin;  // of the call
};

// Collects events. `details` is an object, or empty.
class drawing {
 public:
  void slice(const track& where, std::string_view name, nanoseconds begin, nanoseconds end,
             const std::string& details = {}) {
    add(where, name, "X",
        fmt::format(R"(,"ts":{},"dur":{})", microseconds(where.origin + begin), microseconds(end - begin)), details);
  }
  void instant(const track& where, std::string_view name, nanoseconds at, const std::string& details) {
    add(where, name, "i", fmt::format(R"(,"s":"t","ts":{})", microseconds(where.origin + at)), details);
  }
  void name(const track& where, std::string_view kind, std::string_view name, std::uint64_t index) {
    add(where, fmt::format("{}_name", kind), "M", "", fmt::format(R"({{"name":{}}})", quoted(name)));
    add(where, fmt::format("{}_sort_index", kind), "M", "", fmt::format(R"({{"sort_index":{}}})", index));
  }

  [[nodiscard]] std::string events() const { return events_; }

 private:
  void add(const track& where, std::string_view name, const char* phase, const std::string& more,
           const std::string& details) {
    fmt::format_to(std::back_inserter(events_), R"({}{{"name":{},"ph":"{}","pid":{},"tid":{}{})",
                   events_.empty() ? "" : ",\n", quoted(name), phase, where.process, where.thread, more);
    if (!details.empty()) events_ += ",\"args\":" + details;
    events_ += '}';
  }

  std::string events_;
};

// Until when something is known of the call; of one that was not finished, its wall may say less than its timeline.
nanoseconds end_of(const report& call) {
  nanoseconds end = call.wall;
  for (const timeline_chunk& chunk : call.recorded.chunks) end = std::max(end, chunk.end);
  for (const timeline_step& step : call.recorded.caller) end = std::max(end, step.end);
  return end;
}

// How many worker tracks a call needs, whatever it says about its size.
std::uint64_t tracks_of(const report& call) {
  std::uint64_t tracks = call.workers;
  for (const timeline_chunk& chunk : call.recorded.chunks) tracks = std::max<std::uint64_t>(tracks, chunk.worker + 1);
  for (const timeline_event& event : call.recorded.events) tracks = std::max<std::uint64_t>(tracks, event.worker + 1);
  return tracks;
}

void draw_caller(drawing& into, const track& where, const report& call) {
  const nanoseconds whole = end_of(call);
  into.slice(where, title_of(call), nanoseconds{0}, whole,
             fmt::format(R"({{"way":{},"slices":{},"chunks":{},"finished":{}}})", quoted(call.way), call.slices,
                         call.chunks, call.finished));
  nanoseconds free_from{0};
  for (const timeline_step& step : call.recorded.caller) {
    const nanoseconds begin = std::max(step.begin, free_from);
    if (step.end <= begin) continue;
    into.slice(where, name_of(step.what), begin, step.end);
    free_from = step.end;
  }
}

void draw_chunk(drawing& into, const track& where, const report& call, const timeline_chunk& chunk, nanoseconds begin) {
  std::string details = fmt::format(R"({{"first":{},"count":{})", chunk.first, chunk.count);
  if (call.calls > 1) details += fmt::format(R"(,"call":{})", chunk.call);
  if (chunk.merged > 1) details += fmt::format(R"(,"merged":{})", chunk.merged);
  into.slice(where, slices_of(call, chunk), begin, chunk.end, details + "}");
  // Of several chunks drawn as one, what was between them comes last.
  const nanoseconds computing = std::clamp(chunk.begin + chunk.pass_in, begin, chunk.end);
  const nanoseconds gone = std::clamp(chunk.end - chunk.idle, computing, chunk.end);
  const nanoseconds leaving = std::clamp(gone - chunk.pass_out, computing, gone);
  if (computing > begin) into.slice(where, "pass_in", begin, computing);
  if (leaving > computing) into.slice(where, "compute", computing, leaving);
  if (gone > leaving) into.slice(where, "pass_out", leaving, gone);
}

void draw_event(drawing& into, const track& where, const timeline_event& event) {
  if (event.what == timeline_event::kind::worker_started) {
    into.instant(where, "worker started", event.at, "");
    return;
  }
  const char* what = event.what == timeline_event::kind::worker_died ? "worker died" : "slice failed";
  into.instant(where, event.text.empty() ? what : fmt::format("{}: {}", what, event.text), event.at,
               fmt::format(R"({{"slice":{}}})", event.slice));
}

// Draws one call; its tids follow on from `process`, its pid.
void draw_call(drawing& into, const report& call, std::uint64_t process, nanoseconds origin) {
  const auto worker_track = [&](std::uint64_t worker) { return track{process, process + 1 + worker, origin}; };
  const track caller{process, process, origin};
  into.name(caller, "process",
            call.calls == 1 ? fmt::format("call {}: {} ({})", call.call, title_of(call), call.way)
                            : fmt::format("pool {}: {} ({})", call.pool, title_of(call), call.way),
            process);
  into.name(caller, "thread", "caller", 0);
  for (std::uint64_t worker = 0; worker < tracks_of(call); ++worker)
    into.name(worker_track(worker), "thread", fmt::format("worker {}", worker), worker + 1);
  draw_caller(into, caller, call);
  const timeline_chunk* before = nullptr;
  for (const timeline_chunk& chunk : call.recorded.chunks) {
    const bool same_track = before != nullptr && before->worker == chunk.worker;
    const nanoseconds begin = same_track ? std::max(chunk.begin, before->end) : chunk.begin;
    if (chunk.end < begin) continue;
    draw_chunk(into, worker_track(chunk.worker), call, chunk, begin);
    before = &chunk;
  }
  for (const timeline_event& event : call.recorded.events) draw_event(into, worker_track(event.worker), event);
}

}  // namespace

std::string trace_of(std::span<const report> totals, std::span<const report> calls) {
  drawing all;
  nanoseconds origin{0};
  for (const report& call : calls) origin = &call == calls.data() ? call.began : std::min(origin, call.began);
  std::uint64_t process = 1;
  for (const std::span<const report> list : {totals, calls}) {
    for (const report& call : list) {
      draw_call(all, call, process, call.began - origin);
      process += tracks_of(call) + 1;
    }
  }
  return "{\"traceEvents\":[\n" + all.events() + "\n]}\n";
}

}  // namespace detail

std::string report::trace() const { return detail::trace_of({}, {this, 1}); }

}  // namespace forkful
