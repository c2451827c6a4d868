// Looks after calls that their caller runs alone: whether the caller is stuck in a long slice while helpers could run
// the rest.
//
// Owns a thread, which sleeps on an alarm clock, so that calls which end in time cost no waking. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "os/alarm.hpp"

namespace forkful::detail {

class watchdog {
 public:
  class watched {
   public:
    watched() noexcept = default;
    watched(const watched&) = delete;
    watched& operator=(const watched&) = delete;
    virtual ~watched() = default;
    // It is time. Returns when to look again, in CLOCK_MONOTONIC nanoseconds; 0: no more.
    virtual std::uint64_t check(std::uint64_t now) noexcept = 0;
  };

  watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;
  ~watchdog();
  // False where the system grants no clock or no thread: then it does not look.
  [[nodiscard]] bool awake() const noexcept { return thread_.joinable(); }

  // To be looked at then, for the first time. Throws bad_alloc.
  void watch(watched& one, std::uint64_t time);
  // No more; returns when its thread does not look at it.
  void forget(const watched& one) noexcept;

 private:
  struct entry {
    watched* what;
    std::uint64_t time;
  };
  // What its thread looks at: owned by both, because a thread that sleeps on a clock which the program has closed
  // cannot be woken, and is left behind.
  struct watch_list {
    void set_clock() noexcept;
    void run() noexcept;

    alarm_clock clock;
    std::mutex mutex;  // of all below; check() is called with it held
    std::vector<entry> all;
    std::uint64_t set_for = ~std::uint64_t{0};
    bool ended = false;
  };

  std::shared_ptr<watch_list> list_ = std::make_shared<watch_list>();
  std::thread thread_;
};

}  // namespace forkful::detail
