#include "os/unshared.hpp"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "os/identity.hpp"
#include "os/refused_call.hpp"

namespace forkful::detail {

namespace {

// The mutex is held across every fork (by the handlers), so that no child is born between the making of a pair and its
// registration.
struct registry {
  struct entry {
    int number;
    file_identity file;
  };
  std::mutex mutex;
  std::vector<entry> open;

  // But for numbers that lead to other files by now.
  void close_all() noexcept {
    for (const entry& one : open) {
      if (one.file.behind(one.number)) ::close(one.number);
    }
    open.clear();
  }
};

registry& unshared() {
  static registry* all = [] {
    auto made = std::make_unique<registry>();
    const int refused = ::pthread_atfork([] { unshared().mutex.lock(); }, [] { unshared().mutex.unlock(); },
                                         [] {
                                           unshared().close_all();
                                           unshared().mutex.unlock();
                                         });
    // Without the handlers, workers would keep one another's lifelines open and outlive their parent.
    if (refused != 0) throw refused_call("pthread_atfork", refused);
    return made.release();  // never destroyed: forks may happen during static destruction
  }();
  return *all;
}

}  // namespace

unshared_fd::unshared_fd(fd file) noexcept : file_(std::move(file)), owner_(this_process()) {}

unshared_fd::unshared_fd(unshared_fd&& other) noexcept : file_(std::move(other.file_)), owner_(other.owner_) {}

unshared_fd& unshared_fd::operator=(unshared_fd&& other) noexcept {
  if (this != &other) {
    reset();
    file_ = std::move(other.file_);
    owner_ = other.owner_;
  }
  return *this;
}

void unshared_fd::reset() noexcept {
  if (!file_.valid()) return;
  if (owner_ != this_process()) {
    file_.release();
    return;
  }
  registry& all = unshared();
  const std::lock_guard lock(all.mutex);
  std::erase_if(all.open, [this](const registry::entry& one) {
    return one.number == file_.number() && one.file == file_.file();
  });
  file_.reset();
}

socket_ends socket_ends::make(int type) {
  registry& all = unshared();
  const std::lock_guard lock(all.mutex);
  all.open.reserve(all.open.size() + 1);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) throw refused_call("socketpair", errno);
  fd ours = fd::moved_high(ends[0]);
  const int error = errno;
  socket_ends made;
  made.theirs = fd::moved_high(ends[1]);
  if (!ours.valid() || !made.theirs.valid()) throw refused_call("fcntl", ours.valid() ? errno : error);
  all.open.push_back({ours.number(), ours.file()});
  made.ours = unshared_fd(std::move(ours));
  return made;
}

void close_unshared() noexcept { unshared().close_all(); }

}  // namespace forkful::detail
