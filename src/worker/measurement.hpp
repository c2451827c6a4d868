// What a worker measures of a chunk while it runs it block by block: how long, which block took longest, and which part of it
// went into decoding slices and encoding results.
//
// Owns sums. Cost: an addition or two a block; the parts are timed in some blocks only and scaled up.
#pragma once

#include <algorithm>
#include <cstdint>

#include "board/board.hpp"

namespace forkful::detail {

// Of the time of blocks whose parts were timed. Kept from chunk to chunk and from call to call of the same callable.
struct passing_shares {
  double in = 0;
  double out = 0;
};

class measurement {
 public:
  // A block of `count` slices from `first` on took so long, of which `broadcast` went into decoding broadcast arguments. `parts`
  // is null where they were not timed.
  void add(std::uint64_t first, std::uint64_t count, std::uint64_t took, std::uint64_t broadcast,
           const passing_time* parts) noexcept {
    all_ += took;
    const std::uint64_t running = took - std::min(took, broadcast);
    if (running > slow_) {
      slow_ = running;
      slow_first_ = first;
      slow_count_ = count;
    }
    ++blocks_;
    if (parts == nullptr) return;
    timed_ += running;
    in_ += parts->pass_in;
    out_ += parts->pass_out;
  }

  void write_to(chunk& held, chunk_note& note, std::uint64_t broadcast, passing_shares& shares) noexcept {
    if (timed_ != 0) {
      const auto timed = static_cast<double>(timed_);
      shares = {static_cast<double>(in_) / timed, static_cast<double>(out_) / timed};
    }
    held.ran_ns = all_;
    held.noted = 0;
    held.in_share = held.out_share = 0;
    if (all_ == 0) return;
    const double running = static_cast<double>(all_ - std::min(all_, broadcast)) / static_cast<double>(all_);
    held.in_share = part_of_all(shares.in * running + (1 - running));
    held.out_share = part_of_all(shares.out * running);
    if (blocks_ < 2 && broadcast == 0) return;
    note.slow_first = slow_first_;
    note.slow_count = slow_count_;
    note.slow_ns = slow_;
    held.noted |= chunk_note::slowest;
  }

 private:
  static std::uint16_t part_of_all(double share) noexcept {
    return static_cast<std::uint16_t>(std::clamp(share, 0.0, 1.0) * 65535);
  }

  std::uint64_t all_ = 0;
  std::uint64_t blocks_ = 0;
  std::uint64_t slow_ = 0;
  std::uint64_t slow_first_ = 0;
  std::uint64_t slow_count_ = 0;
  std::uint64_t timed_ = 0;
  std::uint64_t in_ = 0;
  std::uint64_t out_ = 0;
};

}  // namespace forkful::detail
