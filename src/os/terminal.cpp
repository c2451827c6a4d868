// Terminals. See terminal.hpp.
#include "os/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "os/cancellation.hpp"

namespace forkful::detail {

unsigned terminal_columns(int fd) noexcept {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col != 0 ? size.ws_col : 80U;
}

void write_what_can_be(int fd, std::string_view text) noexcept {
  const cancellation_deferred whole;
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace forkful::detail
