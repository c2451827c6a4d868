#include "os/lifeline.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "os/process.hpp"

namespace forkful::detail {

void lifeline::arm(int worker_end) noexcept {
  // The order matters: who and which signal first, then the switch.
  bool armed = ::fcntl(worker_end, F_SETOWN, ::getpid()) == 0 && ::fcntl(worker_end, F_SETSIG, SIGKILL) == 0;
  const int flags = ::fcntl(worker_end, F_GETFL);
  armed = armed && flags >= 0 && ::fcntl(worker_end, F_SETFL, flags | O_ASYNC) == 0;
  // The parent may have ended before the switch: then nobody will tell us any more.
  pollfd hangup{worker_end, 0, 0};
  const bool gone = ::poll(&hangup, 1, 0) > 0 && (hangup.revents & (POLLHUP | POLLERR)) != 0;
  if (!armed || gone) leave(1);
}

}  // namespace forkful::detail
