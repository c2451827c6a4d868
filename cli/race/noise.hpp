// Whether the machine was quiet enough for the figures to mean something.
#pragma once

#include <string>

#include "race/outcome.hpp"

namespace race {

/// To be asked before the race, while nothing of it runs: "others kept 1.3 CPUs busy just before", or nothing. Watches for 150 ms.
std::string others_at_work();

/// One sentence if rounds of the same way differ much, or if other programs were at work; else empty.
std::string noise_of(const outcome& race, const std::string& others);

}  // namespace race
