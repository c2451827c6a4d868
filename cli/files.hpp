// Files as slices, read whole; files written whole or not at all; and the files that every Debian has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// The licence texts that every Debian ships, without the symbolic links that lead to one another, by name. Empty if they are
/// not here.
std::vector<std::string> licence_texts();

/// What a file holds. Throws std::runtime_error with one sentence (what, why, what to do) for what is missing, unreadable, a
/// directory, a pipe or device, or empty.
std::string read_slice(const std::string& path);

/// Throws std::system_error if the file cannot be written: better reported before long work than after it.
void check_writable(const std::string& file);
/// The file holds all of the text, or is what it was before. Throws std::system_error.
void write_whole(const std::string& file, std::string_view text);

}  // namespace cli
