// Small files as a whole: those of /proc and /sys, and files of our own that other processes may read at any moment. Owns nothing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace forkful::detail {

// The first `most` bytes; empty if the file cannot be read. Not by iostreams: they cost more than mapping the arena.
std::string read_small_file(const std::string& path, std::size_t most = 4096);

// Writes `text` to `part`, in the same folder, and renames that to `path`: a reader finds the old file or the new one, whole.
// False, and nothing left, if that cannot be done.
bool replace_file(const std::string& path, const std::string& part, std::string_view text);

}  // namespace forkful::detail
