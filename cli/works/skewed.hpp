// The shapes that --skew knows.
#pragma once

#include <string>
#include <vector>

namespace race {

/// "equal", "linear", "exponential", "bimodal", "giant".
std::vector<std::string> shapes();

}  // namespace race
