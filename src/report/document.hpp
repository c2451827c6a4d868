// Reports of one call or of several, in one file.
#pragma once

#include <forkful/report.hpp>
#include <span>
#include <string>

namespace forkful::detail {

enum class document_format {
  text,   ///< one report after the other, an empty line between
  json,   ///< {"forkful": version, "calls": [...]}, a call being what report::json() returns
  trace,  ///< one process a call, all on one clock
  html    ///< one page, with a list to choose a call from
};

/// All calls in one document, in the order given. Reports of unfinished calls are welcome.
std::string document(std::span<const report> calls, document_format format);

/// The trace and the page of several calls: what document() and the members of report are made of.
std::string trace_of(std::span<const report> calls);
std::string page_of(std::span<const report> calls);

}  // namespace forkful::detail
