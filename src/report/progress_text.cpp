// The line of a progress bar. Only bytes that any terminal shows, but for the label, which is the user's.
#include "report/progress_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "format/fmt.hpp"

namespace forkful::detail {

namespace {

std::string human_rate(double rate) {
  static constexpr std::array units{"", " k", " M", " G"};
  std::size_t unit = 0;
  while (rate >= 999.5 && unit + 1 < units.size()) {
    rate /= 1000;
    ++unit;
  }
  if (rate >= 99.5) return fmt::format("{:.0f}{}/s", rate, units[unit]);
  return rate >= 1 ? fmt::format("{:.1f}{}/s", rate, units[unit]) : fmt::format("{:.2g}/s", rate);
}

std::string whole_seconds(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::min(seconds, 1e15));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

std::string human_seconds(double seconds) {
  return seconds < 9.95 ? fmt::format("{:.1f} s", seconds) : whole_seconds(seconds + 0.5);
}

bool begins_letter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_letter));
}

void cut(std::string& text, std::size_t columns) {
  std::size_t letters = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!begins_letter(text[at])) continue;
    if (letters++ == columns) {
      text.resize(at);
      return;
    }
  }
}

}  // namespace

double smoothed_rate(double before, double ran, double seconds) {
  if (seconds <= 0) return before;
  const double now = ran / seconds;
  if (before <= 0) return now;
  return before + (now - before) * (1 - std::exp(-seconds / 5));
}

std::string progress_text(std::string_view label, const progress& so_far, double rate, std::size_t columns,
                          bool ended) {
  const double seconds = std::chrono::duration<double>(so_far.elapsed).count();
  const auto done = static_cast<double>(so_far.done);
  std::string text(label);
  std::replace_if(text.begin(), text.end(), [](char byte) { return (byte >= 0 && byte < ' ') || byte == 127; }, '?');

  std::string tail;
  if (so_far.total == 0 || so_far.done >= so_far.total) {
    tail = fmt::format("{} slice{}", so_far.done, so_far.done == 1 ? "" : "s");
  } else {
    const std::string total = std::to_string(so_far.total);
    // Rounded down: 100 % is said when it is true.
    const auto percent = static_cast<unsigned>(100 * done / static_cast<double>(so_far.total));
    tail = fmt::format("{:3} % {:>{}}/{}", std::min(percent, 99U), so_far.done, total.size(), total);
  }
  if (ended) {
    tail += fmt::format(" in {}", human_seconds(seconds));
    if (seconds > 0 && so_far.done > 0) tail += fmt::format(", {}", human_rate(done / seconds));
  } else {
    if (rate > 0) tail += fmt::format(", {}", human_rate(rate));
    if (so_far.total > so_far.done && rate > 0)
      tail +=
          fmt::format(", {} left", whole_seconds(std::ceil(static_cast<double>(so_far.total - so_far.done) / rate)));
    if (so_far.total == 0) tail += fmt::format(", {}", human_seconds(seconds));
    tail += fmt::format(", {} busy", so_far.busy);
  }

  const std::size_t used = width(text) + 4 + tail.size();  // blanks and brackets
  if (so_far.total != 0 && used + 8 <= columns) {
    const std::size_t room = std::min<std::size_t>(columns - used, 40);
    const auto full =
        static_cast<std::size_t>(static_cast<double>(room) * std::min(1.0, done / static_cast<double>(so_far.total)));
    text += fmt::format(" [{}{}]", std::string(full, '#'), std::string(room - full, ' '));
  }
  text += ' ' + tail;
  cut(text, columns);
  return text;
}

}  // namespace forkful::detail
