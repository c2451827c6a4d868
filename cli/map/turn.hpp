// Whose turn it is to write, and writing: the jobs' output whole and in order, streamed for the job whose turn it is.
//
// No thread is woken to hand anything over: whoever hands in a piece, or ends a job, writes what can be written, for others too, if
// nobody writes already; who does looks again before it leaves. Invariants: one thread writes at a time, outside of the lock; what is
// held is at most `most_held` and what the jobs whose turn it is have beyond that; a job is delivered once, after all of its output.
// The second seam between a runner and the run (job_queue.hpp has the first).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "map/options.hpp"
#include "map/output.hpp"

namespace mapping {

class turn {
 public:
  using delivery = std::function<void(const job_output&)>;
  /// `out`: where standard output goes. `delivered` is called for each job, one at a time, when its output is written.
  turn(grouping how, int out, delivery delivered) : how_(how), out_(out), delivered_(std::move(delivered)) {}

  /// The job has been taken; orders come without gaps, though not in order.
  void enter(const std::shared_ptr<job_output>& job);
  /// What it has printed, to be tagged. May write, and wait for that.
  void hand_in(job_output& job, stream to, std::string_view bytes);
  /// Too much is held: the job's pipes are to be left alone, so that it waits.
  [[nodiscard]] bool is_full_for(const job_output& job);
  /// It will not be tried again: what it has printed may be written before its end.
  void let_flow(job_output& job);
  /// Drops what it has printed: it is tried again.
  void drop(job_output& job);
  /// It has ended, its result is there.
  void finish(job_output& job);

  /// A line of forkful's own on stderr, between two pieces of jobs.
  void say(std::string_view line);

  /// 0, or the errno of the first write that failed: nothing was written since.
  [[nodiscard]] int broken();
  /// Bytes: the most that was held at once.
  [[nodiscard]] std::size_t peak_held();

  static constexpr std::size_t most_held = std::size_t{64} << 20;

 private:
  using guard = std::unique_lock<std::mutex>;
  void add(job_output& job, stream to, std::string_view bytes);
  void write_ready(guard& lock);
  std::shared_ptr<job_output> next_to_write();
  void write(stream to, std::string_view bytes, job_output* of);
  [[nodiscard]] bool has_turn(const job_output& job) const;
  void end_lines(job_output& job);

  grouping how_;
  int out_;
  delivery delivered_;
  std::mutex mutex_;
  std::condition_variable room_;
  bool writing_ = false;
  std::map<std::size_t, std::shared_ptr<job_output>> jobs_;  // that have been entered and not delivered
  std::size_t next_ = 0;                                     // ordered: whose turn it is
  job_output* owner_ = nullptr;                              // unordered: the one that streams, for it held too much
  std::deque<std::shared_ptr<job_output>> ready_;            // unordered: ended, in the order of their ends
  std::size_t held_ = 0;
  std::size_t peak_ = 0;
  int broken_ = 0;
};

/// Each line gets the tag; `at_begin` is kept between the pieces of a stream.
std::string tagged(std::string_view bytes, std::string_view tag, bool& at_begin);

}  // namespace mapping
