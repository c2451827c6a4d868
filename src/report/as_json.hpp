// A report as a JSON value: the one place that names the fields, for json(), the page and the trace.
#pragma once

#include <forkful/report.hpp>
#include <nlohmann/json.hpp>
#include <string>

namespace forkful::detail {

using json_value = nlohmann::ordered_json;

/// Everything but the timeline: what docs/report.md lists, in its order.
json_value as_json(const report& what);
json_value as_json(const time_split& time);
json_value events_as_json(const timeline& recorded);
json_value steps_as_json(const timeline& recorded);
const char* name_of(timeline_event::kind what);
const char* name_of(timeline_step::kind what);

/// On one line. Text that is no UTF-8 (a what() may be anything) gets replacement characters instead.
std::string written(const json_value& value);

}  // namespace forkful::detail
