// What the advisor says about a work before it runs, to stand beside what was measured.
#pragma once

#include <forkful/advice.hpp>
#include <optional>

#include "race/work.hpp"

namespace race {

/// Nothing where the advisor cannot try the work.
inline std::optional<forkful::advice> predict(const work& what) { return what.advised(); }

}  // namespace race
