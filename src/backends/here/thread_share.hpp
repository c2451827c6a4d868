// How far a thread has begun its chunk, and how far it may go, as offsets in it: one word, which the thread and those that take from it change
// by compare-exchange, so that no slice is both begun and taken (docs/protocol.md, 20).
//
// Owns nothing. Nothing can be taken of a chunk that was not opened.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace forkful::detail {

class thread_share {
 public:
  static constexpr std::uint64_t longest = 0xffffffff;

  void open(std::uint64_t slices) noexcept { word_.store(slices, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t begun() const noexcept { return word_.load(std::memory_order_relaxed) >> 32; }
  [[nodiscard]] std::uint64_t unbegun() const noexcept {
    const std::uint64_t seen = word_.load(std::memory_order_relaxed);
    return (seen & longest) - (seen >> 32);
  }
  // The thread's, before it begins slices up to `wanted`. Returns how far it may go.
  std::uint64_t begin(std::uint64_t wanted) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint64_t to = std::min(wanted, seen & longest);
      if (word_.compare_exchange_weak(seen, to << 32 | (seen & longest), std::memory_order_relaxed)) return to;
    }
  }
  // Takes what is not begun, but for the first `keeps` slices. Returns where that begins; its end: there is nothing.
  std::uint64_t take(std::uint64_t keeps) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint64_t from = std::min((seen >> 32) + keeps, seen & longest);
      if (word_.compare_exchange_weak(seen, (seen & ~longest) | from, std::memory_order_relaxed)) return from;
    }
  }

 private:
  std::atomic<std::uint64_t> word_{0};  // begun << 32 | end
};

}  // namespace forkful::detail
