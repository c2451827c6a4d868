// What is counted of one call while it runs: chunk by chunk, as the parent takes them back.
//
// Owns the report that it becomes. Behind the mutex of its owner, except `watch`, which is the calling thread's. What
// workers say is bounded by what can be (docs/protocol.md, 11); in the end every row adds up to the wall.
#pragma once

#include <cstdint>
#include <forkful/detail/job.hpp>
#include <memory>

#include "measure/recorder.hpp"
#include "measure/stopwatch.hpp"

namespace forkful::detail {

// A chunk that came back. Times are CLOCK_MONOTONIC nanoseconds.
struct chunk_times {
  unsigned worker = 0;
  std::size_t first = 0;  // slices [first, first + count), as the caller counts them
  std::size_t count = 0;
  std::uint64_t began = 0;  // 0: none of it was run
  std::uint64_t ended = 0;
  std::uint64_t ran = 0;  // of that
  std::uint64_t pass_in = 0;
  std::uint64_t pass_out = 0;
};

constexpr std::size_t most_slowest = 5;
// Puts one among the slowest, slowest first, at most five. False: it is not one of them. Takes no memory that was not reserved.
bool keep_if_slow(std::vector<slow_slices>& slowest, const slow_slices& one);

class tally {
 public:
  tally(const job& work, unsigned workers, stopwatch::phase first_phase);

  void add(const chunk_times&);
  void add_slow(const slow_slices&);
  // Whether a chunk that took so long may hold one of the slowest.
  [[nodiscard]] bool may_be_slow(std::uint64_t nanoseconds) const noexcept { return nanoseconds > bar_; }
  // What a worker did that died in the middle of it: of [began, ended) it was running, since `block_began` slices
  // [first, first + count). Nothing of it counts but the time.
  void add_lost(const chunk_times&, std::uint64_t block_began);
  // What the kernel counted for a worker.
  void add_memory(unsigned worker, std::size_t page_faults, std::size_t peak, std::size_t peak_private) noexcept;
  void add_off_core(unsigned worker, std::chrono::nanoseconds) noexcept;
  void add_death(unsigned worker) noexcept;
  // The worker was there at that time, first or again; 0: it is started, and was not there yet.
  void add_start(unsigned worker, std::uint64_t ready);
  // There is no such worker.
  void add_missing(unsigned worker) noexcept;
  void published(std::uint64_t now) noexcept;
  // The caller asks for no more from here on, or does again.
  void leave(std::uint64_t now) noexcept { left_ = now; }
  void come_back(std::uint64_t now) noexcept;
  [[nodiscard]] bool is_away() const noexcept { return left_ != 0; }

  // Records a timeline from here on.
  void record(std::shared_ptr<recorder> into);
  [[nodiscard]] bool recording() const noexcept { return recorded_ != nullptr; }
  void add_event(timeline_event what, std::uint64_t at);
  void add_failure(const slice_failure&, std::uint64_t at);

  // Nothing more is counted; `happened` is complete but for what is said about it.
  void finish(std::uint64_t now) noexcept;
  // The same, handed over to `begun`, which holds what was known when the call began.
  void finish_into(report& begun, std::uint64_t now);

  report happened;
  stopwatch watch;

 private:
  std::shared_ptr<recorder> recorded_;
  std::uint64_t began_;
  std::uint64_t published_ = 0;  // when the first chunk was
  std::uint64_t left_ = 0;       // when the caller went away; 0: it is there
  std::uint64_t bar_ = 0;        // the fifth slowest took so long
};

}  // namespace forkful::detail
