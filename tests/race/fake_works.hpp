// Works whose times and results a test knows: `honest` gives the same on every way, `liar` gives one wrong bit on `process`.
#pragma once

#include "race/work.hpp"

namespace forkful_tests {

inline constexpr std::size_t honest = 0;
inline constexpr std::size_t liar = 1;
inline constexpr std::size_t late_liar = 2;  // only from the second call of `process` on

}  // namespace forkful_tests
