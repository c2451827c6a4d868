// The lifeline: a worker ends when its parent has ended, busy or not, whatever ended the parent (docs/protocol.md, 13).
//
// One socket pair a worker. The parent holds one end and never reads or writes; when its last copy is closed - by exit, crash or
// SIGKILL - the kernel sends the worker SIGKILL. So no other process may hold a copy of the parent's end (os/unshared.hpp). The
// worker's end is kept alive by a copy that lies unread in the parent's: code in a slice may close the number.
// (PR_SET_PDEATHSIG would follow the forking thread, not the process.)
#pragma once

#include <sys/socket.h>

#include "os/fd.hpp"
#include "os/unshared.hpp"

namespace forkful::detail {

class lifeline {
 public:
  lifeline() noexcept = default;
  // Makes the pair. Throws refused_call.
  static lifeline make() {
    lifeline made;
    made.ends_ = socket_ends::make(SOCK_STREAM);
    return made;
  }

  // In the worker, which inherited or was sent this end: ask to be killed when the parent's end closes; leave now if it is
  // closed already.
  static void arm(int worker_end) noexcept;

  [[nodiscard]] int worker_end() const noexcept { return ends_.theirs.number(); }
  // In the parent, after the fork: the worker's end is the worker's.
  void forget_worker_end() noexcept { ends_.theirs.reset(); }

 private:
  socket_ends ends_;
};

}  // namespace forkful::detail
