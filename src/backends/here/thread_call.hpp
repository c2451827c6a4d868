// One call on threads of this process: which thread claims which slices, and how their results come back in order.
//
// Owns the chunks from their claiming to the collecting of their results. A chunk is run by one thread; all members but `limit_`
// and `ran_` are behind the crew's mutex (thread_crew.hpp). The input is read, results are collected and progress is
// reported on the caller's thread, with the mutex released.
//
// Invariants:
// 1. Chunks are claimed in the order of their slices, and collected in it unless the job is unordered. What a thread holds and has not begun
//    may be taken by another, as a chunk of its own behind it.
// 2. All slices below the lowest failing one are run; slices at or above it are skipped as soon as it is known (docs/protocol.md, 6).
// 3. The caller of a call without an owner leaves it only when no thread runs it: the job is on the caller's stack.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <forkful/detail/job.hpp>
#include <list>
#include <memory>
#include <vector>

#include "backends/completion.hpp"
#include "backends/here/thread_crew.hpp"
#include "backends/here/thread_share.hpp"
#include "backends/input_reader.hpp"
#include "measure/tally.hpp"
#include "os/floating_point.hpp"

namespace forkful::detail {

// Slices that one thread has claimed.
struct thread_chunk {
  std::size_t first = 0;    // slices [first, last)
  std::size_t last = 0;     // while it is run: nearer, once others have taken from it
  std::size_t reached = 0;  // slices below were run, or failed
  std::uint64_t since = 0;  // when it was claimed, about
  bool shared = false;      // with others, by `share`: set before it is run
  thread_share share{};
  bool done = false;
  chunk_times times{};    // for the report
  slow_slices slowest{};  // of it
  std::vector<failed_slice> failures{};
  std::unique_ptr<void, void (*)(void*)> results{nullptr, nullptr};
};

class running_chunk;

class thread_call : public open_call, public std::enable_shared_from_this<thread_call> {
 public:
  // `work` must live as long as the call unless `owner` keeps it alive.
  thread_call(std::shared_ptr<thread_crew> where, job& work, const call_options& options, std::shared_ptr<void> owner);
  ~thread_call() override = default;

  // ---- On the caller's thread. ----

  // As ongoing::advance.
  bool carry_on(const wait_policy& how_long);
  // As ongoing::cancel, but that a slice which has begun goes on: a thread cannot be ended.
  bool withdraw();
  // Completes the report, and throws what the call has to throw.
  void conclude(report& happened);
  // The caller will not ask for its results. Waits for the threads that run it, if it has no owner.
  void release() noexcept;

  // ---- With the mutex held; also on the threads that run slices (thread_running.cpp). ----

  [[nodiscard]] bool claimable() const noexcept final;
  [[nodiscard]] std::size_t chunks_left() const noexcept final;
  void run(lock_type& lock, unsigned worker, std::size_t most) noexcept final;
  void close() noexcept final;

 protected:
  // From now on helpers run slices too: opens the call to them and calls as many as there is work for, with the mutex
  // held. `watching`: the caller takes no slices.
  void share(lock_type& lock, bool watching);
  // Asked after each block that the caller ran alone, with the mutex held: the last `count` slices of `mine` took so long.
  virtual bool goes_on_alone(const thread_chunk& /*mine*/, std::size_t /*count*/, std::uint64_t /*took*/) noexcept {
    return true;
  }
  // Called for each chunk that was run, on the caller's thread.
  virtual void saw(const thread_chunk&) noexcept {}

  bool alone_ = false;             // the caller runs slices alone, in a chunk that grows block by block
  std::uint64_t block_began_ = 0;  // then: when its last block began
  // The caller has come by; before, nothing may be shared.
  [[nodiscard]] bool begun() const noexcept { return begun_; }
  // What is left to claim, as far as it is there.
  [[nodiscard]] std::size_t unclaimed() const noexcept;
  [[nodiscard]] thread_crew& crew() const noexcept { return *crew_; }

 private:
  [[nodiscard]] std::size_t next_size() const noexcept;
  [[nodiscard]] bool more_input() const noexcept;
  [[nodiscard]] bool ended() const noexcept;
  [[nodiscard]] bool may_run(const wait_policy& how_long) const noexcept;
  void run_alone(lock_type& lock, unsigned worker) noexcept;
  bool read_input(lock_type& lock);
  bool collect(lock_type& lock, const wait_policy& how_long);
  void collect_one(thread_chunk& what, lock_type& lock);
  void count(const thread_chunk& what);
  void collect_cancelled(lock_type& lock);
  void report_progress(lock_type& lock, bool last);
  void wait(lock_type& lock, std::uint64_t until);
  bool ready_to_run(lock_type& lock, unsigned worker, std::list<thread_chunk>& fresh) noexcept;
  thread_chunk& claim(std::list<thread_chunk>& fresh, std::size_t size) noexcept;
  thread_chunk* claim_or_take(std::list<thread_chunk>& fresh) noexcept;
  thread_chunk* take(std::list<thread_chunk>& fresh, std::uint64_t claimed_before, bool half) noexcept;
  [[nodiscard]] bool takeable() const noexcept;
  void done(thread_chunk& mine, std::exception_ptr broken) noexcept;
  friend class running_chunk;
  void lower_limit(std::size_t slice) noexcept;
  void stop(std::exception_ptr reason) noexcept;

  std::shared_ptr<thread_crew> crew_;
  job& job_;
  std::shared_ptr<void> owner_;
  call_options options_;
  tally counted_;  // the caller's thread's
  std::uint64_t process_;
  floating_point environment_ = floating_point::here();

  // Slices at or above are not begun. relaxed: nothing depends on what it skips.
  std::atomic<std::size_t> limit_{SIZE_MAX};
  std::atomic<std::size_t> ran_{0};   // slices that were run or have failed, if the caller asks for progress; likewise
  std::list<thread_chunk> chunks_{};  // claimed and not collected, by their slices
  std::size_t known_;                 // slices that are there
  std::size_t claimed_ = 0;           // and of these, claimed
  std::size_t collected_ = 0;         // slices below are collected
  std::size_t running_ = 0;           // chunks being run
  std::uint64_t ran_ns_ = 0;          // by chunks that were collected, of so many slices
  std::uint64_t ran_slices_ = 0;
  double slice_ns_ = 0;          // how long a slice took in earlier calls; 0: not known
  std::uint64_t ended_ns_ = 0;   // when a chunk came to its end last
  std::uint64_t looked_ns_ = 0;  // when chunks that take long were looked for
  std::size_t lazy_size_ = 1;    // of the next chunk of an input of unknown length
  input_reader reader_;
  bool input_ended_;
  bool begun_ = false;  // the caller has come by
  bool beside_others_ = false;
  std::uint64_t number_ = 0;  // among the crew's calls
  bool closed_ = false;       // the pool has ended before everything was claimed
  std::condition_variable_any news_;
  bool asleep_ = false;                   // the caller waits for news
  std::atomic<std::uint32_t> events_{0};  // counts news

  bool cancelled_ = false;     // what was stopped is reported as cancelled
  std::uint64_t spun_ns_ = 0;  // how long the caller has spun
  bool helped_;                // there are threads to help
  completion completion_;
};

// A call in the hands of the caller. In a process that inherited it by fork it does nothing (docs/protocol.md, 12).
std::unique_ptr<ongoing> handle_of(std::shared_ptr<thread_call> call);

}  // namespace forkful::detail
