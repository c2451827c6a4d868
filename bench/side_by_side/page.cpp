// Draws what benchmarks measured as one page: page TITLE FILE.json > FILE.html
// FILE has a line a program, as score_sheet writes it. A bar is as long as the logarithm of what a contestant took: the peers of one
// figure may lie a thousandfold apart. Needs no scripts and no network; figures stand beside their bars, ours are outlined twice.

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "format/fmt.hpp"
#include "report/page.hpp"
#include "row.hpp"

namespace {

using forkful::detail::html_escaped;
using forkful_bench::quantity;
using nlohmann::json;

// The page forbids styles but those that carry its mark.
constexpr std::string_view style = R"(<style nonce="forkful">
.lanes { width: 100%; height: auto; }
.lanes rect { fill: var(--raised); stroke: var(--ink); }
.lanes rect.ours { fill: var(--compute); stroke-width: 2.5; }
.lanes path { stroke: var(--ink); stroke-width: 1.5; fill: none; }
.lanes path.grid { stroke: var(--line); stroke-width: 1; }
.lanes text { fill: var(--ink); font: 13px system-ui, sans-serif; }
.lanes text.ours { font-weight: bold; }
td:last-child, thead th:last-child { min-width: 0; }
.goals td, .goals td:not(:last-child), .goals thead th { text-align: left; white-space: normal; }
section { border-top: 1px solid var(--line); margin-top: 1.2rem; }
</style>
)";

double number(const json& of, const char* name) { return of.value(name, 0.0); }

std::string bars(const json& figure) {
  constexpr double left = 300;
  constexpr double longest = 190;
  constexpr double height = 26;
  const std::string unit = figure["unit"];
  double least = HUGE_VAL;
  double most = 0;
  double ours = 0;
  for (const json& lane : figure["lanes"]) {
    if (lane.contains("absent")) continue;
    const double value = number(lane, "median");
    if (value > 0) least = std::min(least, value);
    most = std::max(most, value);
    if (ours == 0 && lane["ours"]) ours = value;
  }
  if (most == 0 || least == HUGE_VAL) least = most = 1;
  // Close together they are drawn to scale; far apart by their logarithms.
  const bool powers = most > 20 * least;
  const double floor = least / 2;
  const auto width = [&](double value) {
    const double share = powers ? std::log(std::max(value, floor) / floor) / std::log(most / floor) : value / most;
    return longest * std::clamp(share, 0.0, 1.0);
  };
  std::string svg = fmt::format(
      "<svg class=\"lanes\" viewBox=\"0 0 860 {}\" role=\"img\" aria-label=\"Medians, {}; shorter is better\">\n",
      height * static_cast<double>(figure["lanes"].size()) + 4, powers ? "by powers" : "to scale");
  double y = 2;
  for (const json& lane : figure["lanes"]) {
    const bool is_ours = lane["ours"];
    const char* mark = is_ours ? " class=\"ours\"" : "";
    const double base = y + height / 2 + 3;
    svg += fmt::format("<text x=\"0\" y=\"{:.1f}\"{}>{}</text>", base, mark,
                       html_escaped(lane["name"].get<std::string>()));
    if (lane.contains("absent")) {
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">absent: {}</text>\n", left, base,
                         html_escaped(lane["absent"].get<std::string>().substr(0, 70)));
    } else {
      const double median = number(lane, "median");
      const double from = left + width(number(lane, "p10"));
      const double to = left + width(number(lane, "p90"));
      const double middle = y + height / 2 - 2;
      svg += fmt::format("<rect{} x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>", mark, left, y + 1,
                         width(median), height - 6);
      svg += fmt::format("<path d=\"M{0:.1f} {2:.1f}v8M{0:.1f} {3:.1f}H{1:.1f}M{1:.1f} {2:.1f}v8\"/>", from, to,
                         middle - 4, middle);
      std::string text = quantity(median, unit);
      if (figure["tails"] && number(lane, "count") >= 1000)
        text += fmt::format("; p99 {}, p99.9 {}", quantity(number(lane, "p99"), unit),
                            quantity(number(lane, "p99.9"), unit));
      if (!is_ours && ours != 0 && median != 0) text += fmt::format("; ours takes {}", quantity(ours / median, "x"));
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>\n", std::max(to, left + width(median)) + 8, base,
                         mark, html_escaped(text));
    }
    y += height;
  }
  return svg + fmt::format("</svg>\n<p class=\"hint\">{}</p>\n",
                           powers ? "Bars by powers: twice as long is not twice as slow."
                                  : "Bars to scale; shorter is better.");
}

std::string curve(const json& curves) {
  constexpr double left = 90;
  constexpr double width = 560;
  constexpr double height = 260;
  constexpr std::array marks{"M-4 -4h8v8h-8z", "M0 -5l5 9h-10z", "M-4 -4l8 8M4 -4l-8 8", "M0 -5l5 5l-5 5l-5 -5z",
                             "M-5 0h10M0 -5v10"};
  double x_least = HUGE_VAL, x_most = 0, y_least = HUGE_VAL, y_most = 0;
  for (const json& line : curves["lines"])
    for (const json& point : line["points"]) {
      const double x = point[0], y = point[1];
      if (x <= 0 || y <= 0) continue;
      x_least = std::min(x_least, x), x_most = std::max(x_most, x);
      y_least = std::min(y_least, y), y_most = std::max(y_most, y);
    }
  if (x_most == 0) return {};
  y_least = std::pow(10, std::floor(std::log10(y_least)));
  y_most = std::max(10 * y_least, std::pow(10, std::ceil(std::log10(y_most))));
  if (x_most == x_least) x_most = 10 * x_least;
  const auto at_x = [&](double x) { return left + width * std::log(x / x_least) / std::log(x_most / x_least); };
  const auto at_y = [&](double y) { return 10 + height * (1 - std::log(y / y_least) / std::log(y_most / y_least)); };
  const std::string x_unit = curves["x_unit"], y_unit = curves["y_unit"];
  std::string svg =
      fmt::format("<svg class=\"lanes\" viewBox=\"0 0 860 {}\" role=\"img\" aria-label=\"{} by {}\">\n", height + 62,
                  html_escaped(curves["y"].get<std::string>()), html_escaped(curves["x"].get<std::string>()));
  for (double y = y_least; y <= y_most * 1.01; y *= 10)
    svg += fmt::format("<path class=\"grid\" d=\"M{} {:.1f}h{}\"/><text x=\"0\" y=\"{:.1f}\">{}</text>\n", left,
                       at_y(y), width, at_y(y) + 4, quantity(y, y_unit));
  const double step = std::max(10.0, std::pow(10, std::ceil(std::log10(x_most / x_least) / 6)));
  for (double x = x_least; x <= x_most * 1.01; x *= step)
    svg += fmt::format("<path class=\"grid\" d=\"M{0:.1f} 10v{1}\"/><text x=\"{0:.1f}\" y=\"{2}\">{3}</text>\n",
                       at_x(x), height, height + 28, quantity(x, x_unit));
  svg += fmt::format("<text x=\"{}\" y=\"{}\">{} by {}</text>\n", left, height + 50,
                     html_escaped(curves["y"].get<std::string>()), html_escaped(curves["x"].get<std::string>()));
  std::size_t which = 0;
  std::vector<double> taken;
  for (const json& line : curves["lines"]) {
    std::string path;
    std::string points;
    double last = 0;
    for (const json& point : line["points"]) {
      if (point[0] <= 0 || point[1] <= 0) continue;
      const double x = at_x(point[0]);
      last = at_y(point[1]);
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x, last);
      points +=
          fmt::format("<path transform=\"translate({:.1f} {:.1f})\" d=\"{}\"/>", x, last, marks[which % marks.size()]);
    }
    // Names that would lie on each other move down.
    while (std::any_of(taken.begin(), taken.end(), [&](double y) { return std::abs(y - last) < 15; })) last += 15;
    taken.push_back(last);
    svg += fmt::format("<path d=\"{}\"/>{}", path, points);
    svg += fmt::format("<path transform=\"translate({} {:.1f})\" d=\"{}\"/><text x=\"{}\" y=\"{:.1f}\">{}</text>\n",
                       left + width + 14, last, marks[which % marks.size()], left + width + 26, last + 4,
                       html_escaped(line["name"].get<std::string>()));
    ++which;
  }
  return svg + "</svg>\n";
}

std::string verdict_text(const json& goal) {
  if (!goal.contains("value")) return "cannot be said";
  return quantity(goal["value"], goal["unit"].get<std::string>()) + (goal["reached"] ? ", reached" : ", missed");
}

std::string section(const json& figure) {
  std::string html =
      fmt::format("<section id=\"{0}\">\n<h2>{0}: {1}{2}</h2>\n", html_escaped(figure["id"].get<std::string>()),
                  html_escaped(figure["title"].get<std::string>()),
                  figure["per"] == "" ? "" : html_escaped(", for one " + figure["per"].get<std::string>()));
  if (!figure["lanes"].empty()) html += bars(figure);
  if (!figure["curves"]["lines"].empty()) html += curve(figure["curves"]);
  for (const json& goal : figure["goals"])
    html += fmt::format("<p>Goal: {}: <strong>{}</strong></p>\n", html_escaped(goal["text"].get<std::string>()),
                        html_escaped(verdict_text(goal)));
  if (figure["note"] != "")
    html += fmt::format("<p class=\"hint\">{}</p>\n", html_escaped(figure["note"].get<std::string>()));
  if (figure["quarrel"] != "")
    html +=
        fmt::format("<p class=\"advice\">Results differ: {}</p>\n", html_escaped(figure["quarrel"].get<std::string>()));
  return html + "</section>\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: page TITLE FILE.json > FILE.html\n";
    return 2;
  }
  std::ifstream file(argv[2]);
  std::string sections;
  std::string machine;
  std::string goals;
  std::size_t reached = 0;
  std::size_t all = 0;
  for (std::string line; std::getline(file, line);) {
    const json program = json::parse(line, nullptr, false);
    if (program.is_discarded()) continue;
    if (machine.empty()) machine = program["machine"];
    for (const json& figure : program["figures"]) {
      sections += section(figure);
      for (const json& goal : figure["goals"]) {
        ++all;
        reached += goal["reached"] ? 1 : 0;
        goals +=
            fmt::format("<tr><th><a href=\"#{0}\">{0}</a></th><td>{1}</td><td>{2}</td><td>{3}</td></tr>\n",
                        html_escaped(figure["id"].get<std::string>()), html_escaped(figure["title"].get<std::string>()),
                        html_escaped(goal["text"].get<std::string>()), html_escaped(verdict_text(goal)));
      }
    }
  }
  std::string body(style);
  body += fmt::format("<h1>{}</h1>\n<p class=\"verdict\">{} of {} goals reached.</p>\n<p>{}</p>\n",
                      html_escaped(argv[1]), reached, all, html_escaped(machine));
  body +=
      "<p class=\"hint\">Contestants ran in turns; bars are medians, brackets span the 10th to the 90th "
      "percentile.</p>\n";
  body += fmt::format(
      "<div "
      "class=\"scroll\"><table "
      "class=\"goals\">\n<thead><tr><th>figure</th><th>work</th><th>goal</th><th>measured</th></tr></thead>\n"
      "<tbody>\n{}</tbody></table></div>\n{}",
      goals, sections);
  std::cout << forkful::detail::page(argv[1], body, {});
  return std::cout.flush() ? 0 : 1;
}
