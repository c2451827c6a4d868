#include "report/words.hpp"

#include <algorithm>
#include <array>

#include "format/fmt.hpp"

namespace forkful::detail {

std::string human_bytes(std::size_t bytes) {
  static constexpr std::array units{"B", "KB", "MB", "GB", "TB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string human_time(std::chrono::nanoseconds time) {
  const auto ns = static_cast<double>(time.count());
  if (ns < 1e3) return fmt::format("{} ns", time.count());
  if (ns < 1e6) return fmt::format("{:.1f} us", ns / 1e3);
  if (ns < 1e9) return fmt::format("{:.1f} ms", ns / 1e6);
  return fmt::format("{:.2f} s", ns / 1e9);
}

std::string counted(std::size_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::string wrapped(std::string_view head, std::string_view sentence) {
  std::string lines(head);
  std::size_t width = head.size();
  while (!sentence.empty()) {
    const std::size_t end = std::min(sentence.find(' '), sentence.size());
    const std::string_view word = sentence.substr(0, end);
    if (width > head.size() && width + 1 + word.size() > columns) {
      lines += '\n';
      lines.append(head.size(), ' ');
      width = head.size();
    }
    if (width > head.size()) {
      lines += ' ';
      ++width;
    }
    lines += word;
    width += word.size();
    sentence.remove_prefix(std::min(end + 1, sentence.size()));
  }
  return lines + '\n';
}

std::string percent(double share) { return fmt::format("{:.0f} %", share * 100); }

}  // namespace forkful::detail
