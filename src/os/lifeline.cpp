#include "os/lifeline.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <span>

#include "os/message.hpp"
#include "os/process.hpp"

namespace forkful::detail {

namespace {

// Puts the worker's end into the parent's mailbox, which the parent never reads and which goes with the parent's end:
// so the socket lives on, and with it what arm() asks for, when user code closes all descriptors in the worker. Refused
// where too many descriptors are on their way: then such code may outlive the parent until its slice is done.
void leave_a_copy(int worker_end) noexcept {
  const char nothing = 0;
  send_message(worker_end, &nothing, sizeof nothing, std::span(&worker_end, 1));
}

}  // namespace

void lifeline::arm(int worker_end) noexcept {
  // The order matters: process and signal first, then the switch.
  bool armed = ::fcntl(worker_end, F_SETOWN, ::getpid()) == 0 && ::fcntl(worker_end, F_SETSIG, SIGKILL) == 0;
  const int flags = ::fcntl(worker_end, F_GETFL);
  armed = armed && flags >= 0 && ::fcntl(worker_end, F_SETFL, flags | O_ASYNC) == 0;
  // The parent may have ended before the switch: then the kernel sends no signal any more.
  pollfd hangup{worker_end, 0, 0};
  const bool gone = ::poll(&hangup, 1, 0) > 0 && (hangup.revents & (POLLHUP | POLLERR)) != 0;
  if (!armed || gone) leave(1);
  leave_a_copy(worker_end);
}

}  // namespace forkful::detail
