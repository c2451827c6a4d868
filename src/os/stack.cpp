#include "os/stack.hpp"

#include <pthread.h>
#include <signal.h>

#include <cstddef>

namespace forkful::detail {

namespace {

constexpr std::size_t stack_bytes = std::size_t{8} << 20;

struct work {
  void (*run)(void*) noexcept;
  void* argument;
};

}  // namespace

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
