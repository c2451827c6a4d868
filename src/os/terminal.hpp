// ioctl(2) and write(2) for what is drawn on a terminal.
#pragma once

#include <string_view>

namespace forkful::detail {

/// Columns of the terminal behind `fd`; 0: it is none. A terminal that does not know its width has 80.
unsigned terminal_columns(int fd) noexcept;

/// Writes all of it, or as much as can be: nothing depends on it.
void write_what_can_be(int fd, std::string_view text) noexcept;

}  // namespace forkful::detail
