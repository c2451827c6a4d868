// Reports of one call or of several, in one file.
#pragma once

#include <forkful/report.hpp>
#include <span>
#include <string>
#include <vector>

namespace forkful::detail {

enum class document_format {
  text,   ///< one report after the other, an empty line between
  json,   ///< {"forkful": version, "totals": [...], "calls": [...]}, both being what report::json() returns
  trace,  ///< one process a total and one a call, all on one clock
  html    ///< one page, with a list to choose a total or a call from
};

/// The totals of calls of several pools, by the pools' numbers, with the remarks about each. `cpus`: as in advise_on().
std::vector<report> totals_of(std::span<const report> calls, unsigned cpus);

/// The totals first, then all calls, in the order given. Reports of unfinished calls may be among them. Totals of one
/// call are left out of texts and traces.
std::string document(std::span<const report> totals, std::span<const report> calls, document_format format);
/// The same with the totals of these very calls.
std::string document(std::span<const report> calls, document_format format);

/// The trace and the page of several calls: what document() and the members of report are made of.
std::string trace_of(std::span<const report> totals, std::span<const report> calls);
std::string page_of(std::span<const report> totals, std::span<const report> calls);

}  // namespace forkful::detail
