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
#include "os/process.hpp"

namespace forkful::detail {

namespace {

// The mutex is held across every fork (by the handlers), so that no child is born between the making of a pair and its
// registration.
struct registry {
  std::mutex mutex;
  std::vector<int> numbers;

  void close_all() noexcept {
    for (const int number : numbers) ::close(number);
    numbers.clear();
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
    if (refused != 0) throw_start_failed("pthread_atfork", refused);
    return made.release();  // never destroyed: forks may happen during static destruction
  }();
  return *all;
}

}  // namespace

unshared_fd::unshared_fd(int number) noexcept : number_(number), owner_(this_process()) {}

unshared_fd::unshared_fd(unshared_fd&& other) noexcept
    : number_(std::exchange(other.number_, -1)), owner_(other.owner_) {}

unshared_fd& unshared_fd::operator=(unshared_fd&& other) noexcept {
  if (this != &other) {
    reset();
    number_ = std::exchange(other.number_, -1);
    owner_ = other.owner_;
  }
  return *this;
}

void unshared_fd::reset() noexcept {
  const int number = std::exchange(number_, -1);
  if (number < 0 || owner_ != this_process()) return;
  registry& all = unshared();
  const std::lock_guard lock(all.mutex);
  std::erase(all.numbers, number);
  ::close(number);
}

socket_ends socket_ends::make(int type) {
  registry& all = unshared();
  const std::lock_guard lock(all.mutex);
  all.numbers.reserve(all.numbers.size() + 1);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) throw_start_failed("socketpair", errno);
  all.numbers.push_back(ends[0]);
  socket_ends made;
  made.ours = unshared_fd(ends[0]);
  made.theirs = fd(ends[1]);
  return made;
}

void close_unshared() noexcept { unshared().close_all(); }

}  // namespace forkful::detail
