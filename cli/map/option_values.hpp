// Values of options: numbers, times, sizes, and when to stop. All but jobs_of throw refusal with one sentence for what it cannot read.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>
#include <vector>

#include "map/options.hpp"

namespace mapping {

/// Throws refusal: the sentence, and where to look.
[[noreturn]] void wrong(std::string_view sentence);
[[noreturn]] void wrong_value(std::string_view option, std::string_view is, std::string_view typed);

std::size_t count_of(std::string_view option, std::string_view text, std::size_t least);
/// "2s", "500ms", "1.5m", "1h", "1d"; seconds without a unit.
std::chrono::nanoseconds time_of(std::string_view option, std::string_view text);
/// Bytes: "64k", "1M", "2G", in steps of 1024.
std::size_t size_of(std::string_view option, std::string_view text);
char delimiter_of(std::string_view text);
halting halting_of(std::string_view text);
std::vector<int> statuses_of(std::string_view text);
/// How many jobs at a time "4", "+1", "-1", "50%" and "0" mean where there are so many CPUs; 0: it is none of them.
unsigned jobs_of(std::string_view typed, unsigned cpus);

}  // namespace mapping
