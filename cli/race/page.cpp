// A race as a page: which way won, the table, bars with their intervals, and one call of every way on its timeline.

#include <algorithm>

#include "format/fmt.hpp"
#include "race/texts.hpp"
#include "report/page.hpp"
#include "units.hpp"

namespace race {

namespace {

using forkful::detail::html_escaped;

// The page forbids styles and scripts but those that carry its mark.
constexpr std::string_view style = R"(<style nonce="forkful">
.race td:last-child, .race thead th:last-child { text-align: right; min-width: 0; }
.race td.why { text-align: left; }
.lanes { width: 100%; height: auto; }
.lanes rect { fill: var(--compute); stroke: var(--ink); }
.lanes path { stroke: var(--ink); stroke-width: 2; fill: none; }
.lanes text { fill: var(--ink); font: 14px system-ui, sans-serif; }
section h3 { border-top: 1px solid var(--line); padding-top: 1rem; }
</style>
)";

std::string html_table(const outcome& race) {
  const table all = table_of(race);
  std::string html = "<div class=\"scroll\"><table class=\"race\">\n<thead><tr><th>way</th>";
  for (const std::string& each : all.columns) html += fmt::format("<th>{}</th>", html_escaped(each));
  html += "</tr></thead>\n<tbody>\n";
  for (const table::row& row : all.rows) {
    html += fmt::format("<tr><th>{}</th>", row.way);
    for (const std::string& each : row.figures) html += fmt::format("<td>{}</td>", html_escaped(each));
    if (!row.why_not.empty())
      html += fmt::format("<td class=\"why\" colspan=\"{}\">not run: {}</td>", all.columns.size(),
                          html_escaped(row.why_not));
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

/// Bars as long as the medians; a bracket spans the interval.
std::string bars(const outcome& race) {
  constexpr double left = 90;
  constexpr double longest = 480;
  constexpr double row = 30;
  auto most = std::chrono::nanoseconds{1};
  std::size_t count = 0;
  for (const lane& each : race.lanes) {
    most = std::max(most, each.took.high);
    count += each.ran() ? 1 : 0;
  }
  const auto width = [&](std::chrono::nanoseconds time) {
    return longest * static_cast<double>(time.count()) / static_cast<double>(most.count());
  };
  std::string svg = fmt::format(
      "<svg class=\"lanes\" viewBox=\"0 0 660 {}\" role=\"img\" aria-label=\"The median time of every way; shorter is "
      "faster. The figures are in the table above.\">\n",
      row * static_cast<double>(count) + 6);
  double y = 3;
  for (const lane& each : race.lanes) {
    if (!each.ran()) continue;
    const double middle = y + row / 2 - 2;
    svg += fmt::format("<text x=\"0\" y=\"{:.1f}\">{}</text>", middle + 5, name_of(each.which));
    svg += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>", left, y,
                       width(each.took.median), row - 6);
    const double from = left + width(each.took.low);
    const double to = left + width(each.took.high);
    svg += fmt::format("<path d=\"M{0:.1f} {2:.1f}v10M{0:.1f} {3:.1f}H{1:.1f}M{1:.1f} {2:.1f}v10\"/>", from, to,
                       middle - 5, middle);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", to + 8, middle + 5,
                       cli::time_text(each.took.median));
    y += row;
  }
  return svg + "</svg>\n";
}

}  // namespace

std::string as_page(const outcome& race) {
  std::vector<forkful::report> calls;
  std::string body(style);
  const std::string title = fmt::format("forkful race: {}", race.work);
  body += fmt::format("<h1>{}</h1>\n<p class=\"verdict\">{}</p>\n", html_escaped(title),
                      html_escaped(verdict_of(race).sentence));
  body += fmt::format("<p>This work {}: {}; {} workers.</p>\n", html_escaped(race.about), html_escaped(race.slices),
                      race.workers);
  body += html_table(race) + bars(race);
  body += fmt::format("<p class=\"hint\">{}. Brackets show the range.</p>\n", html_escaped(how_measured(race)));
  for (const std::string& each : {race.remark, left_out_of(race), race.noise})
    if (!each.empty()) body += fmt::format("<p class=\"advice\">{}</p>\n", html_escaped(each));
  if (std::any_of(race.lanes.begin(), race.lanes.end(), [](const lane& each) { return each.drawn; }))
    body += "<h2>One call of every way</h2>\n<p>Made after the race, by workers that were just started.</p>\n";
  for (const lane& each : race.lanes) {
    if (!each.drawn) continue;
    body += fmt::format("<section>\n<h3>{}</h3>\n<div data-call=\"{}\" data-compact></div>\n</section>\n",
                        name_of(each.which), calls.size());
    calls.push_back(each.happened);
  }
  return forkful::detail::page(title, body, calls);
}

}  // namespace race
