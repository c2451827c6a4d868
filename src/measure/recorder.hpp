// The timeline of one call while it runs: what trace() and html() will draw.
//
// Owns the timeline. Invariant: never more than `most` hand-outs, `most` steps of the caller and `most_events` events, however
// long the call is: then neighbours are drawn together, and `thinned` says so. Cost: one entry at the end of a vector.
// Chunks and events come from whoever holds the session's mutex, steps from the calling thread.
#pragma once

#include <forkful/report.hpp>
#include <vector>

#include "report/journal.hpp"

namespace forkful::detail {

class recorder {
 public:
  static constexpr std::size_t most = live_call::most;
  static constexpr std::size_t most_events = 1'000;

  // Calls that are to be reported (FORKFUL_REPORT) are kept in the journal as well, for as long as they run.
  explicit recorder(const report& begun);
  // Of calls that have ended, one after another: chunks and events say themselves which call they are of.
  struct of_many_calls {};
  explicit recorder(of_many_calls /*tag*/) noexcept : many_(true) {}
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;
  ~recorder();
  // Without memory what is added is forgotten, and the timeline counts as thinned.
  void add(timeline_chunk) noexcept;
  void add(timeline_event) noexcept;
  // Steps that follow one another, each beginning where the last one ended.
  void add(const timeline_step&) noexcept;
  // In the order that trace() and html() expect.
  timeline take();
  // A copy, in that order.
  [[nodiscard]] timeline so_far() const;

 private:
  [[nodiscard]] bool grow(unsigned worker) noexcept;
  void thin_chunks() noexcept;
  void thin_steps() noexcept;

  live_call* mirror_ = nullptr;
  bool many_ = false;
  std::uint64_t call_ = 0;
  timeline kept_;
  std::vector<std::size_t> last_;         // where each worker's last entry is
  std::size_t stride_ = 1;                // so many hand-outs of a worker are one entry
  std::chrono::nanoseconds shortest_{0};  // shorter steps are drawn with the next
};

}  // namespace forkful::detail
