// The timeline of one call while it runs: what trace() and html() will draw.
//
// Owns the timeline. Invariant: never more than `most` chunks, `most` steps of the caller and `most_events` events, however
// long the call is: then neighbours are drawn together, and `thinned` says so. Cost: one entry at the end of a vector.
// Chunks and events come from the thread that holds the coordinator's mutex, steps from the calling thread.
#pragma once

#include <cstdint>
#include <forkful/report.hpp>
#include <memory>
#include <vector>

namespace forkful::detail {

// What a recorder is given, stored where it outlives the program (FORKFUL_REPORT).
class timeline_copy {
 public:
  timeline_copy() noexcept = default;
  timeline_copy(const timeline_copy&) = delete;
  timeline_copy& operator=(const timeline_copy&) = delete;
  virtual ~timeline_copy() = default;
  // Entry `place` of `count`, new or changed.
  virtual void put(std::size_t place, const timeline_chunk& one, std::size_t count) noexcept = 0;
  virtual void replace(const std::vector<timeline_chunk>& all) noexcept = 0;
  virtual void count_death() noexcept = 0;
};

class recorder {
 public:
  static constexpr std::size_t most = 10'000;
  static constexpr std::size_t most_events = 1'000;

  // `copy`, if there is one, is given it too, as long as the call runs.
  recorder(const report& begun, std::unique_ptr<timeline_copy> copy);
  // Of calls that have ended, one after another: chunks and events say themselves which call they are of.
  struct of_many_calls {};
  explicit recorder(of_many_calls /*tag*/) noexcept : many_(true) {}
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;
  ~recorder() = default;
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

  std::unique_ptr<timeline_copy> copy_;
  bool many_ = false;
  std::uint64_t call_ = 0;
  timeline kept_;
  std::vector<std::size_t> last_;         // where each worker's last entry is
  std::size_t stride_ = 1;                // so many chunks of a worker are one entry
  std::chrono::nanoseconds shortest_{0};  // shorter steps are drawn with the next
};

}  // namespace forkful::detail
