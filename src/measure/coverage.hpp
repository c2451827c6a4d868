// How long at least one of several calls was under way: their walls, what overlaps counted once.
//
// Owns a few pieces of time, in order, which do not overlap. Invariant: exact while calls that overlap end within the last
// `most` / 2 pieces of each other; older pieces are joined to one, of which it is known how much was covered but not
// where. Cost: a few ns a call.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace forkful::detail {

class coverage {
 public:
  static constexpr std::size_t most = 8;
  using nanoseconds = std::chrono::nanoseconds;

  // Intervals come about in the order of their ends. Returns whether this one begins after all others have ended.
  bool add(nanoseconds begin, nanoseconds end) noexcept {
    piece fresh{begin, std::max(begin, end), nanoseconds(0)};
    fresh.covered = fresh.end - fresh.begin;
    const bool alone = count_ == 0 || pieces_[count_ - 1].end <= begin;
    while (count_ != 0 && pieces_[count_ - 1].end > fresh.begin) join(fresh, pieces_[--count_]);
    if (count_ == most) keep_older_half_as_one();
    pieces_[count_++] = fresh;
    return alone;
  }

  [[nodiscard]] nanoseconds covered() const noexcept {
    nanoseconds all{0};
    for (std::size_t i = 0; i < count_; ++i) all += pieces_[i].covered;
    return all;
  }

 private:
  struct piece {
    nanoseconds begin{0};
    nanoseconds end{0};
    nanoseconds covered{0};  // of that
  };

  // `fresh` is covered from its begin to its end, and overlaps `other`, which it takes the place of.
  static void join(piece& fresh, const piece& other) noexcept {
    const nanoseconds end = std::max(fresh.end, other.end);
    nanoseconds covered = end - fresh.begin;
    if (other.begin < fresh.begin) {
      // Of a piece that is not covered throughout, as much lies before as its length says.
      const nanoseconds before = fresh.begin - other.begin;
      const double dense =
          static_cast<double>(other.covered.count()) / static_cast<double>((other.end - other.begin).count());
      covered += nanoseconds(static_cast<std::int64_t>(static_cast<double>(before.count()) * dense));
    }
    fresh = {std::min(fresh.begin, other.begin), end, covered};
  }

  void keep_older_half_as_one() noexcept {
    piece older{pieces_[0].begin, pieces_[most / 2 - 1].end, nanoseconds(0)};
    for (std::size_t i = 0; i < most / 2; ++i) older.covered += pieces_[i].covered;
    pieces_[0] = older;
    std::move(pieces_.begin() + most / 2, pieces_.end(), pieces_.begin() + 1);
    count_ = most / 2 + 1;
  }

  std::array<piece, most> pieces_{};
  std::size_t count_ = 0;
};

}  // namespace forkful::detail
