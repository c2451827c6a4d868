// The slices of the real cake: which files, and what is in them.
#pragma once

#include <string>
#include <vector>

namespace tour {

/// The licence texts that every Debian ships, without the symbolic links
/// that lead to one another, by name. Empty if they are not here.
std::vector<std::string> licence_texts();

/// What a file holds. Throws std::runtime_error with one sentence (what,
/// why, what to do) for what is missing, unreadable, a directory, a pipe
/// or device, or empty.
std::string read_slice(const std::string& path);

}  // namespace tour
