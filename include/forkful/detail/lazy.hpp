// Lazy input: a range that is read as far as a call asks for it, and remembered until it has been sent.
//
// Owns what was read and not sent yet. Used by the caller's thread only.
#pragma once

#include <atomic>
#include <deque>
#include <exception>
#include <forkful/slices.hpp>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace [[gnu::visibility("default")]] forkful {
namespace detail {

/// Lets one thread at a time look at a list; does nothing where there is only one.
template <bool Several>
class list_guard {
 public:
  void lock() noexcept {
    while (locked_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
  }
  void unlock() noexcept { locked_.clear(std::memory_order_release); }

 private:
  std::atomic_flag locked_{};
};
template <>
class list_guard<false> {
 public:
  void lock() noexcept {}
  void unlock() noexcept {}
};

/// Addressed by index, like any range of slices; only the slices in hand can be. `Shared`: by other threads while the caller's goes on
/// reading (each element by one thread at a time).
template <class Range, bool Shared>
class pulled_range {
  // A borrowed container keeps its elements itself: remembering where they are is enough. Elements that are made when they are
  // looked at are made on the caller's thread.
  static constexpr bool by_place = std::is_lvalue_reference_v<Range> && std::ranges::forward_range<Range> &&
                                   std::is_lvalue_reference_v<std::ranges::range_reference_t<Range>>;
  using iterator = std::ranges::iterator_t<Range>;
  using value = typename owned_slice<std::ranges::range_value_t<Range>>::type;

 public:
  explicit pulled_range(Range&& range) : range_(std::forward<Range>(range)) {
    if constexpr (std::ranges::sized_range<Range>) known_ = static_cast<std::size_t>(std::ranges::size(range_.get()));
  }
  pulled_range(const pulled_range&) = delete;
  pulled_range& operator=(const pulled_range&) = delete;

  /// How many there are in all; 0: not known, or none.
  [[nodiscard]] std::size_t known() const noexcept { return known_; }
  /// How many were read.
  [[nodiscard]] std::size_t size() const noexcept { return first_ + in_hand_.size(); }
  decltype(auto) operator[](std::size_t i) const {
    if constexpr (by_place)
      return *at(i);
    else
      return static_cast<value&>(at(i));
  }
  [[nodiscard]] auto begin() const noexcept { return index_iterator<pulled_range>(this, 0); }
  [[nodiscard]] auto end() const noexcept { return index_iterator<pulled_range>(this, size()); }

  /// Reads up to `wanted` more and returns how many. What reading throws is thrown when what was read before is taken.
  std::size_t pull(std::size_t wanted) {
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    if (ended_) return 0;
    std::size_t got = 0;
    try {
      for (; got != wanted; ++got) {
        // Not before the caller wants the next: reading may wait for input.
        if (at_)
          ++*at_;
        else
          at_.emplace(std::ranges::begin(range_.get()));
        ended_ = *at_ == std::ranges::end(range_.get());
        if (ended_) break;
        keep();
      }
    } catch (...) {
      if (got == 0) throw;
      thrown_ = std::current_exception();
    }
    return got;
  }
  /// Slices below `end` are not asked for again.
  void forget(std::size_t end) noexcept {
    for (;;) {
      const std::lock_guard lock(guard_);
      if (first_ >= end) return;
      in_hand_.pop_front();
      ++first_;
    }
  }

 private:
  // Stays where it is when others come and go.
  auto& at(std::size_t i) const {
    const std::lock_guard lock(guard_);
    return in_hand_[i - first_];
  }
  void keep() {
    if constexpr (by_place) {
      const std::lock_guard lock(guard_);
      in_hand_.push_back(*at_);
    } else if constexpr (Shared) {
      value next(**at_);  // may take long
      const std::lock_guard lock(guard_);
      in_hand_.push_back(std::move(next));
    } else {
      in_hand_.emplace_back(**at_);
    }
  }

  owned_range<Range> range_;
  std::optional<iterator> at_;
  mutable std::deque<std::conditional_t<by_place, iterator, value>> in_hand_;
  [[no_unique_address]] mutable list_guard<Shared> guard_;  // of in_hand_ and first_
  std::size_t first_ = 0;                                   // index of the first in hand
  std::size_t known_ = 0;
  bool ended_ = false;
  std::exception_ptr thrown_;
};

template <class Range>
inline constexpr bool is_pulled = false;
template <class Range, bool Shared>
inline constexpr bool is_pulled<pulled_range<Range, Shared>> = true;

}  // namespace detail
}  // namespace forkful
