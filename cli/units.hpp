// Figures as people read them. Bytes in steps of 1000, as the library's own report has them.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace cli {

std::string bytes_text(std::size_t bytes);             ///< "0 B", "52 B", "11.4 KB"
std::string time_text(std::chrono::nanoseconds time);  ///< "840 ns", "5.2 us", "10.1 ms", "1.20 s"
std::string ratio_text(double ratio);                  ///< "1.9", "0.03", "250"
/// "12.1-12.6 ms": both in the unit that time_text has for `low`.
std::string interval_text(std::chrono::nanoseconds low, std::chrono::nanoseconds high);

}  // namespace cli
