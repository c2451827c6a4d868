// The report as a trace in Chrome's JSON format, as ui.perfetto.dev reads it.
//
// A call is a process: thread one is the caller, the others are the workers. Invariants, without which the viewer drops slices:
// slices of one track nest (whatever does not fit is cut to fit), parents come before children, and no pid or tid is 0 or
// used twice. displayTimeUnit is left out: it is what the viewer notes as a peculiarity.
#include <fmt/format.h>

#include <algorithm>

#include "report/as_json.hpp"
#include "report/document.hpp"

namespace forkful {

namespace detail {

namespace {

using std::chrono::nanoseconds;

// The format counts microseconds. A tenth of a nanosecond more, because the viewer cuts 1.001 x 1000 off to 1000.
double microseconds(nanoseconds time) { return static_cast<double>(time.count() * 10 + 1) / 10'000; }

std::string eaten(const timeline_chunk& chunk) {
  // Drawn together, they need not be neighbours.
  if (chunk.merged > 1) return fmt::format("{} slices from {} on", chunk.count, chunk.first);
  if (chunk.count == 0) return "no slices";
  if (chunk.count == 1) return fmt::format("slice {}", chunk.first);
  return fmt::format("slices {}-{}", chunk.first, chunk.first + chunk.count - 1);
}

struct track {
  std::uint64_t process;
  std::uint64_t thread;
  nanoseconds origin;  // of the call
};

void slice(json_value& events, const track& where, std::string name, nanoseconds begin, nanoseconds end,
           json_value details = {}) {
  json_value event = {{"name", std::move(name)},
                      {"ph", "X"},
                      {"pid", where.process},
                      {"tid", where.thread},
                      {"ts", microseconds(where.origin + begin)},
                      {"dur", microseconds(end - begin)}};
  if (!details.empty()) event["args"] = std::move(details);
  events.push_back(std::move(event));
}

void name_track(json_value& events, const track& where, const std::string& name, std::uint64_t place) {
  events.push_back({{"name", "thread_name"},
                    {"ph", "M"},
                    {"pid", where.process},
                    {"tid", where.thread},
                    {"args", {{"name", name}}}});
  events.push_back({{"name", "thread_sort_index"},
                    {"ph", "M"},
                    {"pid", where.process},
                    {"tid", where.thread},
                    {"args", {{"sort_index", place}}}});
}

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

void draw_caller(json_value& events, const track& where, const report& call) {
  const nanoseconds whole = end_of(call);
  slice(events, where, call.verb.empty() ? "call" : call.verb, nanoseconds{0}, whole,
        {{"way", call.way}, {"slices", call.slices}, {"chunks", call.chunks}, {"finished", call.finished}});
  nanoseconds free_from{0};
  for (const timeline_step& step : call.recorded.caller) {
    const nanoseconds begin = std::max(step.begin, free_from);
    if (step.end <= begin) continue;
    slice(events, where, name_of(step.what), begin, step.end);
    free_from = step.end;
  }
}

void draw_chunk(json_value& events, const track& where, const timeline_chunk& chunk, nanoseconds begin) {
  json_value details = {{"first", chunk.first}, {"count", chunk.count}};
  if (chunk.merged > 1) details["merged"] = chunk.merged;
  slice(events, where, eaten(chunk), begin, chunk.end, std::move(details));
  const nanoseconds computing = std::clamp(chunk.begin + chunk.pass_in, begin, chunk.end);
  const nanoseconds leaving = std::clamp(chunk.end - chunk.pass_out, computing, chunk.end);
  if (computing > begin) slice(events, where, "pass_in", begin, computing);
  if (leaving > computing) slice(events, where, "compute", computing, leaving);
  if (chunk.end > leaving) slice(events, where, "pass_out", leaving, chunk.end);
}

void draw_event(json_value& events, const track& where, const timeline_event& event) {
  std::string name = "worker started";
  json_value details = json_value::object();
  if (event.what != timeline_event::kind::worker_started) {
    const char* verb = event.what == timeline_event::kind::worker_died ? "worker died" : "slice failed";
    name = event.text.empty() ? verb : fmt::format("{}: {}", verb, event.text);
    details["slice"] = event.slice;
  }
  json_value drawn = {{"name", std::move(name)}, {"ph", "i"},           {"s", "t"},
                      {"pid", where.process},    {"tid", where.thread}, {"ts", microseconds(where.origin + event.at)}};
  if (!details.empty()) drawn["args"] = std::move(details);
  events.push_back(std::move(drawn));
}

// Draws one call; its tids follow on from `process`, its pid.
void draw_call(json_value& events, const report& call, std::uint64_t process, nanoseconds origin) {
  const auto worker_track = [&](std::uint64_t worker) { return track{process, process + 1 + worker, origin}; };
  const track caller{process, process, origin};
  events.push_back(
      {{"name", "process_name"},
       {"ph", "M"},
       {"pid", process},
       {"tid", process},
       {"args",
        {{"name", fmt::format("call {}: {} ({})", call.call, call.verb.empty() ? "call" : call.verb, call.way)}}}});
  events.push_back({{"name", "process_sort_index"},
                    {"ph", "M"},
                    {"pid", process},
                    {"tid", process},
                    {"args", {{"sort_index", process}}}});
  name_track(events, caller, "caller", 0);
  for (std::uint64_t worker = 0; worker < tracks_of(call); ++worker)
    name_track(events, worker_track(worker), fmt::format("worker {}", worker), worker + 1);
  draw_caller(events, caller, call);
  const timeline_chunk* before = nullptr;
  for (const timeline_chunk& chunk : call.recorded.chunks) {
    const bool same_track = before != nullptr && before->worker == chunk.worker;
    const nanoseconds begin = same_track ? std::max(chunk.begin, before->end) : chunk.begin;
    if (chunk.end < begin) continue;
    draw_chunk(events, worker_track(chunk.worker), chunk, begin);
    before = &chunk;
  }
  for (const timeline_event& event : call.recorded.events) draw_event(events, worker_track(event.worker), event);
}

}  // namespace

std::string trace_of(std::span<const report> calls) {
  json_value events = json_value::array();
  nanoseconds origin{0};
  for (const report& call : calls) origin = &call == calls.data() ? call.began : std::min(origin, call.began);
  std::uint64_t process = 1;
  for (const report& call : calls) {
    draw_call(events, call, process, call.began - origin);
    process += tracks_of(call) + 1;
  }
  return written({{"traceEvents", std::move(events)}});
}

}  // namespace detail

std::string report::trace() const { return detail::trace_of({this, 1}); }

}  // namespace forkful
