// Draws who ate which slice as bars along the time. See picture.hpp.
#include "picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "terminal.hpp"
#include "units.hpp"

namespace cli {

namespace {

constexpr std::size_t name_width = 12;  // "  friend 12 "
constexpr std::size_t bar_width = 64;
constexpr std::size_t most_rows = 16;

/// "[slice_0   ]" in `width` columns; a lost one is crossed out.
std::string bar(const bite& eaten, std::size_t width) {
  if (width == 1) return eaten.lost ? red("x") : slice_colour(eaten.number, "|");
  const std::size_t room = width - 2;
  std::string text = fmt::format("{:.{}}", harmless(eaten.slice), room);
  if (eaten.lost) text = fmt::format("{:x<{}}", text + " ", room).substr(0, room);
  text = fmt::format("[{:<{}}]", text, room);
  return eaten.lost ? red(text) : slice_colour(eaten.number, text);
}

std::string axis(std::chrono::nanoseconds length) {
  const std::string from = "0";
  const std::string to = time_text(length);
  return fmt::format("{:{}}{}{:>{}}\n", "", name_width, from, to, bar_width - from.size());
}

std::string row(std::vector<bite> eaten, std::chrono::nanoseconds start, std::chrono::nanoseconds length) {
  std::stable_sort(eaten.begin(), eaten.end(), [](const bite& a, const bite& b) { return a.from < b.from; });
  const auto cell = [&](std::chrono::nanoseconds time) {
    const double part = static_cast<double>((time - start).count()) / static_cast<double>(length.count());
    return static_cast<std::size_t>(std::lround(part * bar_width));
  };
  std::string drawn;
  std::size_t at = 0;
  for (const bite& each : eaten) {
    const std::size_t from = std::max(at, cell(each.from));
    if (from >= bar_width) break;  // too short to be seen behind so many others
    const std::size_t to = std::min(bar_width, std::max(from + 1, cell(each.to)));
    drawn.append(from - at, ' ');
    drawn += bar(each, to - from);
    at = to;
  }
  return drawn;
}

}  // namespace

std::string draw_line(std::string_view name, std::string_view text) {
  return fmt::format("  {:{}}{}\n", name, name_width - 2, text);
}

std::string draw_bites(const std::vector<bite>& bites) {
  if (bites.empty()) return {};
  std::map<std::pair<bool, std::size_t>, std::vector<bite>> rows;
  auto start = bites.front().from;
  auto end = bites.front().to;
  for (const bite& each : bites) {
    rows[{each.by_friend, each.eater}].push_back(each);
    start = std::min(start, each.from);
    end = std::max(end, each.to);
  }
  const auto length = std::max(end - start, std::chrono::nanoseconds{1});

  std::string picture = axis(length);
  std::size_t drawn = 0;
  for (const auto& [eater, eaten] : rows) {
    if (++drawn > most_rows) break;
    picture += draw_line(eater.first ? fmt::format("friend {}", eater.second) : "you", row(eaten, start, length));
  }
  if (rows.size() > most_rows) picture += draw_line("...", fmt::format("{} more friends", rows.size() - most_rows));
  return picture;
}

std::string draw_copies(const forkful::report& happened) {
  if (happened.way == "serial") return draw_line("copied", "nothing: you ate alone");
  return draw_line("copied", fmt::format("{} to the friends, {} back", bytes_text(happened.bytes_in),
                                         bytes_text(happened.bytes_out)));
}

}  // namespace cli
