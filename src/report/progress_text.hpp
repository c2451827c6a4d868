// What a progress bar says, as a function of values only.
#pragma once

#include <forkful/options.hpp>
#include <string>
#include <string_view>

namespace forkful::detail {

/// One line without a newline, at most `columns` wide: the bar goes first where there is no room, then what stands last.
/// `rate` is in slices a second. `ended`: says how long all of it took.
std::string progress_text(std::string_view label, const progress& so_far, double rate, std::size_t columns, bool ended);

/// The rate of the last few seconds, from the one so far (0: none yet) and the slices run since. A pause of five seconds counts
/// for two thirds.
double smoothed_rate(double before, double ran, double seconds);

}  // namespace forkful::detail
