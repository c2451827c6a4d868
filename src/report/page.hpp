// One self-contained page that draws calls: report::html(), a document of several calls, the exported tour.
#pragma once

#include <forkful/report.hpp>
#include <span>
#include <string>
#include <string_view>

namespace forkful::detail {

/// A whole HTML document, in UTF-8. In `body`, which is trusted HTML, each element with the attribute `data-call="i"` gets the
/// picture of calls[i], with `data-compact` besides only its timeline, memory and time; one with `data-calls` gets everything, and
/// a list to choose a call from; one with `data-curve` gets the curve of the JSON it holds: {hosts, workers, time_ns, speed_up} of
/// each point. The page asks for nothing from the network and forbids it: no style="" and no onclick="" in `body`.
[[gnu::visibility("default")]] std::string page(std::string_view title, std::string_view body,
                                                std::span<const report> calls);
/// The same; the list of `data-calls` begins with the totals.
std::string page(std::string_view title, std::string_view body, std::span<const report> totals,
                 std::span<const report> calls);

/// What page() puts in: src/report/page/ and the plotting library, embedded when forkful is built (cmake/page.cmake).
extern const std::string_view page_style;
extern const std::string_view page_script;

/// As text of an HTML element or attribute.
[[gnu::visibility("default")]] std::string html_escaped(std::string_view text);

}  // namespace forkful::detail
