// Lazy input: a range that is read as far as a call asks for it, and remembered until it has been sent.
//
// Owns what was read and not sent yet. Used by the caller's thread only.
#pragma once

#include <deque>
#include <exception>
#include <forkful/slices.hpp>
#include <optional>

namespace [[gnu::visibility("default")]] forkful {
namespace detail {

/// Addressed by index, like any range of slices; only the slices in hand can be.
template <class Range>
class pulled_range {
  // A borrowed container keeps its elements itself: remembering where they are is enough.
  static constexpr bool by_place = std::is_lvalue_reference_v<Range> && std::ranges::forward_range<Range>;
  using iterator = std::ranges::iterator_t<Range>;
  using value = std::ranges::range_value_t<Range>;

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
      return *in_hand_[i - first_];
    else
      return static_cast<value&>(in_hand_[i - first_]);
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
        // Not before there is somebody who wants the next: reading may wait for input.
        if (at_)
          ++*at_;
        else
          at_.emplace(std::ranges::begin(range_.get()));
        ended_ = *at_ == std::ranges::end(range_.get());
        if (ended_) break;
        if constexpr (by_place)
          in_hand_.push_back(*at_);
        else
          in_hand_.emplace_back(**at_);
      }
    } catch (...) {
      if (got == 0) throw;
      thrown_ = std::current_exception();
    }
    return got;
  }
  /// Slices below `end` are not asked for again.
  void forget(std::size_t end) noexcept {
    for (; first_ < end; ++first_) in_hand_.pop_front();
  }

 private:
  held<Range> range_;
  std::optional<iterator> at_;
  mutable std::deque<std::conditional_t<by_place, iterator, value>> in_hand_;
  std::size_t first_ = 0;  // index of the first in hand
  std::size_t known_ = 0;
  bool ended_ = false;
  std::exception_ptr thrown_;
};

template <class Range>
inline constexpr bool is_pulled = false;
template <class Range>
inline constexpr bool is_pulled<pulled_range<Range>> = true;

}  // namespace detail
}  // namespace forkful
