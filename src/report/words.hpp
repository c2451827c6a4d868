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

constexpr std::size_t columns = 80;  // no line of a text is wider
// A sentence behind its head, broken into lines; the later ones are indented as far as the first begins. Ends in a newline.
std::string wrapped(std::string_view head, std::string_view sentence);

}  // namespace forkful::detail
