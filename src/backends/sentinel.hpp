// Looks after calls that their caller eats alone: whether he is stuck in a long slice while others could eat the rest.
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

class sentinel {
 public:
  class watched {
   public:
    watched() noexcept = default;
    watched(const watched&) = delete;
    watched& operator=(const watched&) = delete;
    virtual ~watched() = default;
    // It is time. Returns when to look again, in CLOCK_MONOTONIC nanoseconds; 0: no more.
    virtual std::uint64_t look(std::uint64_t now) noexcept = 0;
  };

  sentinel();
  sentinel(const sentinel&) = delete;
  sentinel& operator=(const sentinel&) = delete;
  ~sentinel();
  // False where the system grants no clock or no thread: then nobody looks.
  [[nodiscard]] bool awake() const noexcept { return thread_.joinable(); }

  // To be looked at then, for the first time. Throws bad_alloc.
  void watch(watched& one, std::uint64_t time);
  // No more; returns when nobody looks at it.
  void forget(const watched& one) noexcept;

 private:
  struct entry {
    watched* what;
    std::uint64_t time;
  };
  void stand_guard() noexcept;
  void set_clock() noexcept;

  alarm_clock clock_;
  std::mutex mutex_;  // of all below; look() is called with it held
  std::vector<entry> all_;
  std::uint64_t set_for_ = ~std::uint64_t{0};
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace forkful::detail
