// What a pool runs its calls on, until restart() replaces it: a coordinator, or a crew of threads.
//
// Owns it. Thread-safe. now(), staying() and renew() throw wrong_process, before they touch a mutex, in a process that inherited it by
// fork.
// Two mutexes: one guards the pointer; the other keeps calls from beginning on what is about to end.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "backends/inherited.hpp"
#include "os/identity.hpp"

namespace forkful::detail {

template <class Running>
class renewable {
 public:
  renewable(std::shared_ptr<Running> first, unsigned workers)
      : running_(std::move(first)), workers_(workers), made_by_(this_process()) {}
  renewable(const renewable&) = delete;
  renewable& operator=(const renewable&) = delete;
  ~renewable() = default;

  [[nodiscard]] unsigned workers() const noexcept { return workers_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool inherited() const noexcept { return this_process() != made_by_; }

  [[nodiscard]] std::shared_ptr<Running> now() const {
    check_process(made_by_);
    const std::lock_guard lock(mutex_);
    return running_;
  }
  // While the lock lives nothing is replaced: for a call that begins.
  [[nodiscard]] std::shared_lock<std::shared_mutex> staying() {
    check_process(made_by_);
    return std::shared_lock(renewal_);
  }
  // Ends it with `end(running)`, then takes what `make()` returns, which has so many workers. If that throws, what was ended stays.
  template <class End, class Make>
  void renew(unsigned workers, End end, Make make) {
    check_process(made_by_);
    const std::unique_lock alone(renewal_);
    end(*now());
    std::shared_ptr<Running> fresh = make();
    const std::lock_guard lock(mutex_);
    running_ = std::move(fresh);
    workers_.store(workers, std::memory_order_relaxed);
  }
  // Before it is destroyed: ends it; where it was inherited, only leaves it alone.
  template <class End>
  void finish(End end) {
    if (inherited()) {
      never_destroy(std::move(running_));
    } else {
      end(*running_);
      running_.reset();
    }
  }

 private:
  std::shared_mutex renewal_;
  mutable std::mutex mutex_;
  std::shared_ptr<Running> running_;
  std::atomic<unsigned> workers_;  // relaxed: a number that guards nothing
  std::uint64_t made_by_;
};

}  // namespace forkful::detail
