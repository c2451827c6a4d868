// Figures as people read them. See units.hpp.
#include "units.hpp"

#include <fmt/format.h>

#include "report/words.hpp"

namespace cli {

std::string bytes_text(std::size_t bytes) { return forkful::detail::human_bytes(bytes); }

std::string time_text(std::chrono::nanoseconds time) { return forkful::detail::human_time(time); }

std::string ratio_text(double ratio) {
  if (ratio >= 99.5) return fmt::format("{:.0f}", ratio);
  return ratio >= 0.095 ? fmt::format("{:.1f}", ratio) : fmt::format("{:.1g}", ratio);
}

}  // namespace cli
