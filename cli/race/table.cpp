// The table of a race, on a terminal and in Markdown.

#include <algorithm>
#include <array>

#include "format/fmt.hpp"
#include "race/texts.hpp"
#include "terminal.hpp"
#include "units.hpp"

namespace race {

namespace {

constexpr std::size_t way_width = 8;
// "interval" is as wide as "1000.0-1000.0 us", the others as a figure with its unit.
constexpr std::array<std::size_t, 7> widths{8, 15, 9, 8, 9, 8, 8};

bool has_predictions(const outcome& race) {
  return std::any_of(race.lanes.begin(), race.lanes.end(), [](const lane& each) { return each.predicted.has_value(); });
}

std::string line_of(std::string_view way, const std::vector<std::string>& figures, bool predictions) {
  std::string line = fmt::format("{:<{}}", way, way_width);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const std::size_t place = i >= 2 && !predictions ? i + 1 : i;
    line += fmt::format(" {:>{}}", figures[i], widths[place]);
  }
  return line + "\n";
}

}  // namespace

table table_of(const outcome& race) {
  const bool predictions = has_predictions(race);
  table all;
  all.columns = {"median", "range", "speed-up", "copied in", "out", "memory"};
  if (predictions) all.columns.insert(all.columns.begin() + 2, "predicted");
  for (const lane& each : race.lanes) {
    table::row row{.way = std::string(name_of(each.which)), .why_not = each.why_not};
    if (each.ran()) {
      const auto gain = speed_up(race, each);
      row.figures = {cli::time_text(each.took.median),
                     race.rounds == 1 ? "-" : cli::interval_text(each.took.low, each.took.high),
                     gain ? cli::ratio_text(*gain) + " x" : "-",
                     each.drawn ? cli::bytes_text(each.happened.bytes_in) : "-",
                     each.drawn ? cli::bytes_text(each.happened.bytes_out) : "-",
                     each.drawn ? cli::bytes_text(each.happened.peak_memory) : "-"};
      if (predictions)
        row.figures.insert(row.figures.begin() + 2, each.predicted ? cli::time_text(*each.predicted) : "-");
    }
    all.rows.push_back(std::move(row));
  }
  return all;
}

std::string left_out_of(const outcome& race) {
  if (race.left_out.empty()) return {};
  return fmt::format("Left out, to end in time: {}.", fmt::join(race.left_out, "; "));
}

std::string as_text(const outcome& race) {
  const table all = table_of(race);
  const bool predictions = has_predictions(race);
  std::string text = cli::bold(line_of("way", all.columns, predictions));
  for (const table::row& row : all.rows) {
    if (row.why_not.empty())
      text += line_of(row.way, row.figures, predictions);
    else
      text += cli::wrapped(fmt::format("{:<{}}   not run: {}", row.way, way_width, row.why_not), way_width + 3);
  }
  text += cli::faint(how_measured(race) + ".\n");
  if (!race.remark.empty()) text += "\n" + cli::wrapped(race.remark);
  text += "\n";
  if (!race.left_out.empty()) text += cli::wrapped(left_out_of(race));
  if (!race.noise.empty()) text += cli::wrapped(race.noise);
  for (const lane& each : race.lanes)
    if (!each.difference.empty())
      text +=
          cli::wrapped(fmt::format("{} gave other results than the loop: {}", name_of(each.which), each.difference));
  return text + cli::bold(cli::wrapped(verdict_of(race).sentence));
}

std::string as_markdown(const outcome& race) {
  const table all = table_of(race);
  std::string text = fmt::format("{}: {}; {} workers\n\n| way |", race.work, race.slices, race.workers);
  for (const std::string& each : all.columns) text += fmt::format(" {} |", each);
  text += "\n|---|";
  for (std::size_t i = 0; i < all.columns.size(); ++i) text += "---:|";
  text += "\n";
  for (const table::row& row : all.rows) {
    text += fmt::format("| {} |", row.way);
    for (std::size_t i = 0; i < all.columns.size(); ++i)
      text += fmt::format(" {} |", !row.why_not.empty() ? (i == 0 ? row.why_not : "") : row.figures[i]);
    text += "\n";
  }
  text += fmt::format("\n{}.\n\n", how_measured(race));
  for (const std::string& each : {left_out_of(race), race.noise})
    if (!each.empty()) text += each + "\n\n";
  return text + fmt::format("**{}**\n", verdict_of(race).sentence);
}

}  // namespace race
