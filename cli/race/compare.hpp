// Whether two ways gave the same, bit for bit.
#pragma once

#include <string>

#include "race/crew.hpp"

namespace race {

/// Where `got` first differs from what was expected, as "slice 3 differs from byte 17 on"; empty if every bit is the same.
std::string difference(const results& expected, const results& got);

}  // namespace race
