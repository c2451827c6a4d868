// Times, sizes and numbers from the command line: "20us", "1.5 ms", "4KB", "1000".
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace cli {

/// Seconds. Units: ns, us, ms, s; without one only 0. Empty: no such time, or below 0.
std::optional<double> seconds_of(std::string_view text);

/// Bytes. Units: B, KB, MB, GB in steps of 1000; B if there is none. Empty: no such size, or below 0.
std::optional<double> bytes_of(std::string_view text);

/// A whole number from 1 to `most`; "1e6" is one too.
std::optional<std::size_t> count_of(std::string_view text, double most);

}  // namespace cli
