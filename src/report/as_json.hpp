// Reports as JSON text: the one place that names the fields, for json(), the page and the trace.
#pragma once

#include <forkful/report.hpp>
#include <string>
#include <string_view>

namespace forkful::detail {

/// One object with the fields of docs/report.md, in its order; `timeline` is the JSON to put there.
std::string as_json(const report& what, std::string_view timeline);
/// Arrays of the timeline's events and of the caller's steps.
std::string events_as_json(const timeline& recorded);
std::string steps_as_json(const timeline& recorded);
/// {"forkful": version, "totals": [...], "calls": [...]} of totals and calls that are JSON already.
std::string calls_as_json(const std::vector<std::string>& totals, const std::vector<std::string>& calls);

/// A string literal. Text that is no UTF-8 (a what() may be anything) gets replacement characters.
std::string quoted(std::string_view text);
const char* name_of(timeline_step::kind what);

}  // namespace forkful::detail
