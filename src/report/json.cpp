// The report as JSON: the fields of docs/report.md. Names are stable; a time ends in _ns, a size begins with bytes_ or ends in _bytes.
//
// The only file of the library besides advice/machine_text.cpp that uses nlohmann's, which is slow to compile. What
// comes in thousands is written by {fmt}.

#include <algorithm>
#include <forkful/version.hpp>
#include <iterator>
#include <nlohmann/json.hpp>

#include "format/fmt.hpp"
#include "report/as_json.hpp"

namespace forkful {

namespace detail {

namespace {

using json_value = nlohmann::ordered_json;

std::string written(const json_value& value) {
  return value.dump(-1, ' ', false, json_value::error_handler_t::replace);
}

std::string timeline_as_json(const timeline& recorded) {
  std::string text = fmt::format("{{\"thinned\":{},\"chunks\":[", recorded.thinned);
  const char* between = "";
  for (const timeline_chunk& chunk : recorded.chunks) {
    fmt::format_to(
        std::back_inserter(text),
        R"({}{{"call":{},"worker":{},"first":{},"count":{},"merged":{},"begin_ns":{},"end_ns":{},"pass_in_ns":{},"pass_out_ns":{},"idle_ns":{}}})",
        between, chunk.call, chunk.worker, chunk.first, chunk.count, chunk.merged, chunk.begin.count(),
        chunk.end.count(), chunk.pass_in.count(), chunk.pass_out.count(), chunk.idle.count());
    between = ",";
  }
  text += fmt::format("],\"events\":{},\"caller\":{}}}", events_as_json(recorded), steps_as_json(recorded));
  return text;
}

std::string whole(const report& what) {
  return as_json(what, what.has_timeline ? timeline_as_json(what.recorded) : "null");
}

json_value as_json(const time_split& time) {
  return {
      {"start", time.start.count()},          {"pass_in", time.pass_in.count()}, {"wake", time.wake.count()},
      {"compute", time.compute.count()},      {"idle", time.idle.count()},       {"pass_out", time.pass_out.count()},
      {"reassemble", time.reassemble.count()}};
}

const char* name_of(timeline_event::kind what) {
  switch (what) {
    case timeline_event::kind::worker_died:
      return "worker_died";
    case timeline_event::kind::slice_failed:
      return "slice_failed";
    default:
      return "worker_started";
  }
}

}  // namespace

const char* name_of(timeline_step::kind what) {
  switch (what) {
    case timeline_step::kind::start:
      return "start";
    case timeline_step::kind::pass_in:
      return "pass_in";
    case timeline_step::kind::wake:
      return "wake";
    case timeline_step::kind::compute:
      return "compute";
    case timeline_step::kind::reassemble:
      return "reassemble";
    default:
      return "idle";
  }
}

std::string events_as_json(const timeline& recorded) {
  json_value events = json_value::array();
  for (const timeline_event& event : recorded.events) {
    const bool has_slice = event.what != timeline_event::kind::worker_started;
    events.push_back({{"what", name_of(event.what)},
                      {"call", event.call},
                      {"worker", event.worker},
                      {"slice", has_slice ? json_value(event.slice) : json_value(nullptr)},
                      {"at_ns", event.at.count()},
                      {"text", event.text}});
  }
  return written(events);
}

std::string steps_as_json(const timeline& recorded) {
  std::string text = "[";
  const char* between = "";
  for (const timeline_step& step : recorded.caller) {
    fmt::format_to(std::back_inserter(text), R"({}{{"what":"{}","begin_ns":{},"end_ns":{}}})", between,
                   name_of(step.what), step.begin.count(), step.end.count());
    between = ",";
  }
  return text + "]";
}

std::string quoted(std::string_view text) { return written(text); }

std::string as_json(const report& what, std::string_view timeline) {
  json_value rows = json_value::array();
  for (const worker_row& row : what.per_worker)
    rows.push_back({{"worker", row.worker},
                    {"slices", row.slices},
                    {"chunks", row.chunks},
                    {"deaths", row.deaths},
                    {"time_ns", as_json(row.time)},
                    {"page_faults", row.page_faults},
                    {"bytes_copied_on_write", row.bytes_copied_on_write},
                    {"peak_memory_bytes", row.peak_memory},
                    {"peak_private_bytes", row.peak_private},
                    {"off_core_ns", row.off_core.count()},
                    {"missing", row.missing}});
  json_value slowest = json_value::array();
  for (const slow_slices& slow : what.slowest)
    slowest.push_back({{"call", slow.call},
                       {"first", slow.first},
                       {"count", slow.count},
                       {"worker", slow.worker},
                       {"time_ns", slow.time.count()},
                       {"off_core_ns", slow.off_core.count()}});
  std::string text = written({{"way", what.way},
                              {"verb", what.verb},
                              {"pool", what.pool},
                              {"call", what.call},
                              {"calls", what.calls},
                              {"finished", what.finished},
                              {"began_ns", what.began.count()},
                              {"wall_ns", what.wall.count()},
                              {"slices", what.slices},
                              {"chunks", what.chunks},
                              {"workers", what.workers},
                              {"queued_ns", what.queued.count()},
                              {"away_ns", what.away.count()},
                              {"beside_others", what.beside_others},
                              {"time_ns", as_json(what.time())},
                              {"caller_ns", as_json(what.caller)},
                              {"per_worker", std::move(rows)},
                              {"imbalance", what.imbalance()},
                              {"bytes_in", what.bytes_in},
                              {"bytes_broadcast", what.bytes_broadcast},
                              {"bytes_out", what.bytes_out},
                              {"bytes_shared", what.bytes_shared},
                              {"bytes_copied_on_write", what.bytes_copied_on_write},
                              {"page_faults", what.page_faults},
                              {"peak_memory_bytes", what.peak_memory},
                              {"arena_bytes", what.arena_bytes},
                              {"slowest", std::move(slowest)},
                              {"deaths", what.deaths},
                              {"retries", what.retries},
                              {"threads_at_fork", what.threads_at_fork},
                              {"warnings", what.warnings},
                              {"advice", what.advice}});
  text.back() = ',';  // the closing brace
  text += fmt::format("\"timeline\":{}}}", timeline);
  return text;
}

std::string calls_as_json(const std::vector<std::string>& totals, const std::vector<std::string>& calls) {
  return fmt::format(R"({{"forkful":"{}","totals":[{}],"calls":[{}]}})", FORKFUL_VERSION, fmt::join(totals, ","),
                     fmt::join(calls, ","));
}

}  // namespace detail

std::string report::json() const { return detail::whole(*this); }

}  // namespace forkful
