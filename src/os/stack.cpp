#include "os/stack.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "os/limits.hpp"

// Where the first thread's stack begins.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" [[gnu::weak]] void* __libc_stack_end;

namespace forkful::detail {

namespace {

constexpr std::size_t stack_bytes = std::size_t{8} << 20;
// An address that is nearer to the beginning of the first thread's stack lies in it, however large it may become: the
// kernel maps nothing nearer than 128 MiB.
constexpr std::size_t nothing_else = std::size_t{64} << 20;

struct work {
  void (*run)(void*) noexcept;
  void* argument;
};

std::uintptr_t here() noexcept { return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)); }

// Of the process's first thread, whose stack the C library would have to look for in /proc.
std::size_t left_in_first_thread() noexcept {
  if (&__libc_stack_end == nullptr) return 0;
  const std::size_t most = std::min(limit_of(resource::stack), nothing_else);
  const auto end = reinterpret_cast<std::uintptr_t>(__libc_stack_end);
  const std::uintptr_t used = end - here();
  return used < most ? most - used : 0;
}

}  // namespace

std::size_t stack_left() noexcept {
  if (::getpid() == ::gettid()) return left_in_first_thread();
  pthread_attr_t mine;
  if (::pthread_getattr_np(::pthread_self(), &mine) != 0) return 0;
  void* lowest = nullptr;
  std::size_t bytes = 0;
  const bool known = ::pthread_attr_getstack(&mine, &lowest, &bytes) == 0;
  ::pthread_attr_destroy(&mine);
  const std::uintptr_t left = here() - reinterpret_cast<std::uintptr_t>(lowest);
  return known && left < bytes ? left : 0;
}

bool run_on_large_stack(void (*run)(void*) noexcept, void* argument) noexcept {
  pthread_attr_t how;
  if (::pthread_attr_init(&how) != 0) return false;
  work mine{run, argument};
  pthread_t thread{};
  // Inherited by the thread: handlers of the program are for its own threads.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const bool begun = ::pthread_attr_setstacksize(&how, stack_bytes) == 0 && ::pthread_create(
                                                                                &thread, &how,
                                                                                [](void* given) -> void* {
                                                                                  const work& what =
                                                                                      *static_cast<work*>(given);
                                                                                  what.run(what.argument);
                                                                                  return nullptr;
                                                                                },
                                                                                &mine) == 0;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&how);
  if (begun) ::pthread_join(thread, nullptr);
  return begun;
}

}  // namespace forkful::detail
