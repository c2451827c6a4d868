// The cake of the talk and how a slice of it is eaten, in every step.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace tour {

using namespace std::chrono_literals;

/// Four slices, slice_0 to slice_3.
std::vector<std::string> make_cake();

/// The slice with "_eaten" behind it, after 0.2 s. Takes a note.
std::string eat_slice(std::string_view slice);

}  // namespace tour
