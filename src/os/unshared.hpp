// Descriptors that are this process's alone: no other process, forked from it in whatever way, keeps a copy.
//
// An end of a socket pair shows by its closing that a process has ended, which only works when no other process holds it open. So
// they are closed on exec, and one pthread_atfork handler closes all of them in every forked child, in workers and in
// the user's forks alike. A process that is cloned past the C library calls close_unshared() itself.
#pragma once

#include <cstdint>

#include "os/fd.hpp"

namespace forkful::detail {

// Owns one such descriptor. In a process that inherited the object it is nothing, and its destructor does nothing.
class unshared_fd {
 public:
  unshared_fd() noexcept = default;
  unshared_fd(unshared_fd&& other) noexcept;
  unshared_fd& operator=(unshared_fd&& other) noexcept;
  ~unshared_fd() { reset(); }

  [[nodiscard]] int number() const noexcept { return file_.number(); }
  // No other code of this process has closed it.
  [[nodiscard]] bool intact() const noexcept { return file_.intact(); }
  void reset() noexcept;

 private:
  friend struct socket_ends;
  explicit unshared_fd(fd file) noexcept;

  fd file_;
  std::uint64_t owner_ = 0;  // the process's mark
};

// A pair of connected UNIX sockets: one end is for another process.
struct socket_ends {
  // `type` is SOCK_STREAM or SOCK_SEQPACKET. Throws refused_call.
  static socket_ends make(int type);
  unshared_fd ours;
  fd theirs;
};

// In a child whose fork handlers did not run: closes what is its parent's. The parent had one thread when it was cloned.
void close_unshared() noexcept;

}  // namespace forkful::detail
