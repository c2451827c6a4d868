// Figures as people read and write them. Bytes in steps of 1000, as the library's own report has them.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cli {

std::string bytes_text(std::size_t bytes);             ///< "0 B", "52 B", "11.4 KB"
std::string time_text(std::chrono::nanoseconds time);  ///< "840 ns", "5.2 us", "10.1 ms", "1.20 s"
std::string ratio_text(double ratio);                  ///< "1.9", "0.03", "250"
/// "12.1-12.6 ms": both in the unit that time_text has for `low`.
std::string interval_text(std::chrono::nanoseconds low, std::chrono::nanoseconds high);

/// "20us", "1.5 ms", "2s": a number and ns, us, ms or s. Nothing if it is no such thing, or not below 2^63 ns.
std::optional<std::chrono::nanoseconds> time_from(std::string_view text);
/// "8MB", "1.5 kb", "100B": a number and B, KB, MB or GB, in steps of 1000. Nothing if it is no such thing.
std::optional<std::size_t> bytes_from(std::string_view text);
/// "20000": a whole number and nothing else.
std::optional<std::size_t> number_from(std::string_view text);

}  // namespace cli
