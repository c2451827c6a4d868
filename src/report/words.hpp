// Figures as people read them. Owns nothing. The command line tool reads two of them too.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace forkful::detail {

[[gnu::visibility("default")]] std::string human_bytes(std::size_t bytes);
[[gnu::visibility("default")]] std::string human_time(std::chrono::nanoseconds time);
// "1 slice", "2 slices".
std::string counted(std::size_t count, std::string_view thing);
// A part of a whole, as "63 %".
std::string percent(double share);

}  // namespace forkful::detail
