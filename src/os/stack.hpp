// Running something that needs more stack than the caller may have. Owns nothing.
#pragma once

#include <cstddef>

namespace forkful::detail {

// Calls run(argument) on a stack of 8 MiB, in a thread that has ended when this returns. All signals are blocked there. False, and
// nothing was run, where the system grants no thread. Cost: about 50 us.
bool run_on_large_stack(void (*run)(void*) noexcept, void* argument) noexcept;

// Bytes of stack that the caller has left, about, and at least; 0 where that is not known, as in a coroutine with a stack of
// its own.
std::size_t stack_left() noexcept;

template <class Function>
bool run_on_large_stack(Function function) noexcept {
  return run_on_large_stack([](void* mine) noexcept { (*static_cast<Function*>(mine))(); }, &function);
}

}  // namespace forkful::detail
