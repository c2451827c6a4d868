// Runs code in a forked child, for tests of what survives a death.
//
// Owns nothing. The child never returns into the test: it leaves by _exit, so that no destructor, no atexit handler and no
// second test report runs twice.
#pragma once

#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <new>
#include <string>
#include <thread>

#include "support/process_state.hpp"
#include "support/sanitized.hpp"

namespace forkful_tests {

// GCC 12's AddressSanitizer does not hold the lock of its allocator over a fork, as the C library does: a child forked while
// another thread is about to sleep, or has just begun, may never allocate. So this waits until the other threads sleep,
// if they do so soon.
inline void let_threads_settle() {
  if (!sanitized) return;
  const auto finished_slices = [] {
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
      const pid_t id = std::stoi(thread.path().filename());
      if (id != gettid() && state_of(id) == 'R') return false;
    }
    return true;
  };
  for (int look = 0; look != 200 && !finished_slices(); ++look)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// Forks; the child runs `body` and exits with what it returns (an int), or 99 if it throws. Returns the child's pid.
template <class Body>
pid_t start_child(Body body) {
  let_threads_settle();
  const pid_t child = fork();
  if (child != 0) return child;
  try {
    _exit(body());
  } catch (...) {
    _exit(99);
  }
}

// How a child ended. Waits for it.
struct ending {
  int status;
  bool exited_with(int code) const { return WIFEXITED(status) && WEXITSTATUS(status) == code; }
  bool killed_by(int signal) const { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }
};

inline ending wait_for(pid_t child) {
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {status};
}

template <class Body>
ending in_child(Body body) {
  return wait_for(start_child(body));
}

// An object that forked children share with the test, outside any arena.
template <class T>
class seen_by_all {
 public:
  seen_by_all() {
    void* room = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) throw std::bad_alloc{};
    object_ = ::new (room) T{};
  }
  ~seen_by_all() { munmap(object_, sizeof(T)); }
  seen_by_all(const seen_by_all&) = delete;
  seen_by_all& operator=(const seen_by_all&) = delete;
  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }

 private:
  T* object_;
};

}  // namespace forkful_tests
