#include "os/lifeline.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <utility>
#include <vector>

#include "os/process.hpp"

namespace forkful::detail {

namespace {

// The parent's ends of every lifeline of this process. The mutex is held across every fork (by the handlers), so that no
// child is born between the making of a pair and its registration.
struct registry {
  std::mutex mutex;
  std::vector<int> parent_ends;
};

registry& lifelines() {
  static registry* all = [] {
    auto* made = new registry;  // never destroyed: forks may happen during static destruction
    ::pthread_atfork([] { lifelines().mutex.lock(); }, [] { lifelines().mutex.unlock(); },
                     [] {
                       registry& mine = lifelines();
                       for (const int end : mine.parent_ends) ::close(end);
                       mine.parent_ends.clear();
                       mine.mutex.unlock();
                     });
    return made;
  }();
  return *all;
}

}  // namespace

lifeline lifeline::make() {
  registry& all = lifelines();
  const std::lock_guard lock(all.mutex);
  all.parent_ends.reserve(all.parent_ends.size() + 1);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw_start_failed("socketpair", errno);
  all.parent_ends.push_back(ends[0]);
  lifeline made;
  made.parent_end_ = ends[0];
  made.worker_end_ = fd(ends[1]);
  return made;
}

lifeline::lifeline(lifeline&& other) noexcept
    : parent_end_(std::exchange(other.parent_end_, -1)), worker_end_(std::move(other.worker_end_)) {}

lifeline& lifeline::operator=(lifeline&& other) noexcept {
  if (this != &other) {
    cut();
    parent_end_ = std::exchange(other.parent_end_, -1);
    worker_end_ = std::move(other.worker_end_);
  }
  return *this;
}

lifeline::~lifeline() { cut(); }

void lifeline::cut() noexcept {
  if (parent_end_ < 0) return;
  registry& all = lifelines();
  const std::lock_guard lock(all.mutex);
  const auto found = std::find(all.parent_ends.begin(), all.parent_ends.end(), parent_end_);
  if (found != all.parent_ends.end()) {
    all.parent_ends.erase(found);
    ::close(parent_end_);
  }
  parent_end_ = -1;
}

void lifeline::arm() noexcept {
  parent_end_ = -1;  // closed by the fork handler
  const int end = worker_end_.number();
  // The order matters: who and which signal first, then the switch.
  bool armed = ::fcntl(end, F_SETOWN, ::getpid()) == 0 && ::fcntl(end, F_SETSIG, SIGKILL) == 0;
  const int flags = ::fcntl(end, F_GETFL);
  armed = armed && flags >= 0 && ::fcntl(end, F_SETFL, flags | O_ASYNC) == 0;
  // The parent may have ended before the switch: then nobody will tell us any more.
  pollfd hangup{end, 0, 0};
  const bool gone = ::poll(&hangup, 1, 0) > 0 && (hangup.revents & (POLLHUP | POLLERR)) != 0;
  if (!armed || gone) leave(1);
}

}  // namespace forkful::detail
