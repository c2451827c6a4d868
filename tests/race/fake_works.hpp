// Works whose times and results a test knows: `honest` gives the same on every way, the liars (wrong works) give one
// wrong bit on `process`.
#pragma once

#include "race/work.hpp"

namespace forkful_tests {

inline constexpr std::size_t honest = 0;
inline constexpr std::size_t liar = 1;       // in the first call, which is the one to warm up
inline constexpr std::size_t late_liar = 2;  // in the second call and in no other

}  // namespace forkful_tests
