// Draws who ate which slice as bars along the time. See picture.hpp.
#include "picture.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "format/fmt.hpp"
#include "terminal.hpp"
#include "units.hpp"

namespace cli {

namespace {

constexpr std::size_t name_width = 12;  // "  friend 12 "
constexpr std::size_t bar_width = 64;
constexpr std::size_t most_rows = 16;

struct bite {
  std::string slice;
  std::size_t number = 0;  ///< of the slice: chooses the colour
  bool lost =
      false;  ///< eaten by a friend who did not live to bring it back
  std::chrono::nanoseconds from{0};
  std::chrono::nanoseconds to{0};
};

/// "[slice_0   ]" in `width` columns; a lost one is crossed out.
std::string bar(const bite& eaten, std::size_t width) {
  if (width == 1)
    return eaten.lost ? red("x") : slice_colour(eaten.number, "|");
  const std::size_t room = width - 2;
  std::string text = fmt::format("{:.{}}", harmless(eaten.slice), room);
  if (eaten.lost)
    text = fmt::format("{:x<{}}", text + " ", room).substr(0, room);
  text = fmt::format("[{:<{}}]", text, room);
  return eaten.lost ? red(text) : slice_colour(eaten.number, text);
}

std::string axis(std::chrono::nanoseconds length) {
  const std::string from = "0";
  const std::string to = time_text(length);
  return fmt::format("{:{}}{}{:>{}}\n", "", name_width, from, to,
                     bar_width - from.size());
}

std::string row(std::vector<bite> eaten,
                std::chrono::nanoseconds length) {
  std::stable_sort(
      eaten.begin(), eaten.end(),
      [](const bite& a, const bite& b) { return a.from < b.from; });
  const auto cell = [&](std::chrono::nanoseconds time) {
    const double part = static_cast<double>(time.count()) /
                        static_cast<double>(length.count());
    return static_cast<std::size_t>(std::lround(part * bar_width));
  };
  std::string drawn;
  std::size_t at = 0;
  for (const bite& each : eaten) {
    const std::size_t from = std::max(at, cell(each.from));
    if (from >= bar_width)
      break;  // too short to be seen behind so many others
    const std::size_t to =
        std::min(bar_width, std::max(from + 1, cell(each.to)));
    drawn.append(from - at, ' ');
    drawn += bar(each, to - from);
    at = to;
  }
  return drawn;
}

std::string name_of(std::size_t slice,
                    const std::vector<std::string>& names) {
  return slice < names.size() ? names[slice]
                              : fmt::format("slice_{}", slice);
}

/// What each worker ate. A slice whose eater died is drawn from the end of what that worker ate before until its death.
std::map<unsigned, std::vector<bite>> bites_of(
    const forkful::timeline& recorded,
    const std::vector<std::string>& names) {
  std::map<unsigned, std::vector<bite>> rows;
  for (const forkful::timeline_chunk& chunk : recorded.chunks) {
    std::string slices = name_of(chunk.first, names);
    if (chunk.count > 1)
      slices += " - " + name_of(chunk.first + chunk.count - 1, names);
    rows[chunk.worker].push_back({std::move(slices), chunk.first, false,
                                  chunk.begin, chunk.end});
  }
  for (const forkful::timeline_event& event : recorded.events) {
    if (event.what != forkful::timeline_event::kind::worker_died)
      continue;
    std::chrono::nanoseconds from{0};
    for (const bite& before : rows[event.worker])
      if (before.to <= event.at) from = std::max(from, before.to);
    rows[event.worker].push_back({name_of(event.slice, names),
                                  event.slice, true, from, event.at});
  }
  return rows;
}

std::string draw_copies(const forkful::report& happened) {
  if (happened.way == "loop")
    return draw_line("copied", "nothing: it was your cake");
  if (happened.way == "serial")
    return draw_line("copied", "nothing: you ate alone");
  return draw_line("copied",
                   fmt::format("{} to the friends, {} back",
                               bytes_text(happened.bytes_in),
                               bytes_text(happened.bytes_out)));
}

}  // namespace

std::string draw_line(std::string_view name, std::string_view text) {
  return fmt::format("  {:{}}{}\n", name, name_width - 2, text);
}

std::string draw_call(const forkful::report& happened,
                      const std::vector<std::string>& slices) {
  const bool alone = happened.way == "loop" || happened.way == "serial";
  const auto length =
      std::max(happened.wall, std::chrono::nanoseconds{1});
  std::string picture = axis(length);
  std::size_t drawn = 0;
  const auto rows = bites_of(happened.recorded, slices);
  for (const auto& [eater, eaten] : rows) {
    if (++drawn > most_rows) break;
    picture +=
        draw_line(alone ? "you" : fmt::format("friend {}", eater),
                  row(eaten, length));
  }
  if (rows.size() > most_rows)
    picture += draw_line(
        "...", fmt::format("{} more friends", rows.size() - most_rows));
  picture += draw_copies(happened);
  for (const forkful::worker_row& each : happened.per_worker)
    if (happened.way == "snapshot" && each.bytes_copied_on_write != 0)
      picture += draw_line(
          "", fmt::format("{} by friend {}: the pages it wrote to",
                          bytes_text(each.bytes_copied_on_write),
                          each.worker));
  if (happened.deaths != 0)
    picture += draw_line(
        "fainted", fmt::format("{} of {} friends", happened.deaths,
                               happened.workers));
  return picture;
}

}  // namespace cli
