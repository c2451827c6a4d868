// A lock that a fork cannot leave locked for ever, and whose next owner learns that it was.
//
// Owns a word: the mark (os/identity.hpp) of the process whose thread holds it, or 0. Invariant: a mark that is not this process's
// was copied by a fork while another thread held the lock; that thread is not here and will never release it. What the
// lock guards was being changed then, and is not to be believed. For sections that are short: a thread that waits
// yields.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "os/identity.hpp"

namespace forkful::detail {

class inherited_lock {
 public:
  // False: it was held when this process was forked from the one that held it.
  [[nodiscard]] bool lock() noexcept {
    const std::uint64_t me = this_process();
    for (;;) {
      // acquire: pairs with the release of unlock(), so that what the last owner wrote is seen.
      std::uint64_t holder = 0;
      if (word_.compare_exchange_strong(holder, me, std::memory_order_acquire, std::memory_order_relaxed)) return true;
      if (holder != me &&
          word_.compare_exchange_strong(holder, me, std::memory_order_acquire, std::memory_order_relaxed)) {
        return false;
      }
      std::this_thread::yield();
    }
  }
  void unlock() noexcept { word_.store(0, std::memory_order_release); }

 private:
  std::atomic<std::uint64_t> word_{0};
};

}  // namespace forkful::detail
