// A call that its caller begins alone: measured block by block, and shared as soon as what is left is worth it.
//
// Owns what was measured. A callable that the pool has seen before needs no measuring to be shared at once;
// must_remeasure() says when it is measured all the same. A callable that was not worth it is looked after only 10 ms
// later: an alarm that comes before the kernel's own next one costs some 20 us on a virtual machine, and as much again
// when it comes.
//
// The rule (advice about a single call needs no more; src/advice/ knows the long form): R is what the slices that are left take one
// after another, as measured so far; shared by p it takes R/p, after the helpers have woken in W. Share when R (1 - 1/p) > 1.3 W,
// where p counts only cores that other threads of this process leave free. That shows a callable that is parallel already: its own
// threads keep the cores busy.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "backends/here/thread_call.hpp"
#include "backends/here/watchdog.hpp"

namespace forkful::detail {

// Whether the n-th call in a row that could be shared at once begins alone: the 1st, 2nd, 4th ..., from the 64th on every
// 64th. What was measured while helpers ran slices may be far from what the loop takes, and would never be set right.
bool must_remeasure(unsigned in_a_row) noexcept;

// What a pool's calls learn for one another. Thread-safe.
class call_history {
 public:
  explicit call_history(unsigned cpus_to_use) : cpus(cpus_to_use) {}
  const unsigned cpus;
  watchdog guard{};
  std::atomic<std::uint64_t> wake_ns{
      100'000};  // from sharing to a helper's first slice, until a helper came and it is known

  // What is known of a callable: how long its slices took in the last call.
  struct record {
    double slice_ns = -1;     // none: nothing
    bool cores_free = false;  // while a caller ran alone, cores were free
    unsigned shared = 0;      // calls in a row that it was reason enough to share at once
  };
  [[nodiscard]] record about(run_fn callable) noexcept;
  void remember(run_fn callable, const record&) noexcept;

 private:
  std::mutex mutex_;
  std::unordered_map<run_fn, record> entries_;  // bounded: forgotten when there are many
};

// What is known of waking a helper after one took so long; less at once, more little by little: one bad moment says little.
std::uint64_t learned_wake(std::uint64_t before, std::uint64_t took) noexcept;
// ... and after a call that was not shared because of it, and would have been were it an eighth. Each makes it a little less, so that
// what a busy moment has shown is tried again some day.
std::uint64_t doubted_wake(std::uint64_t before) noexcept;

class auto_call final : public thread_call, public watchdog::watched {
 public:
  auto_call(std::shared_ptr<thread_crew> where, job& work, const call_options& options,
            const std::shared_ptr<void>& owner, std::shared_ptr<call_history> history);
  ~auto_call() override;

 private:
  bool goes_on_alone(const thread_chunk& mine, std::size_t count, std::uint64_t took) noexcept override;
  void saw(const thread_chunk&) noexcept override;
  std::uint64_t check(std::uint64_t now) noexcept override;
  void learn_wake(std::uint64_t took) noexcept;
  [[nodiscard]] bool worth_sharing(double left, double wakes = 1) const noexcept;
  void sample(std::uint64_t now) noexcept;
  [[nodiscard]] bool cores_are_free(std::uint64_t now) noexcept;

  std::shared_ptr<call_history> history_;
  run_fn callable_;
  call_history::record known_;
  bool shareable_;
  bool guarded_ = false;
  std::uint64_t began_;
  std::uint64_t sampled_at_ = 0;   // since when CPU time is counted; 0: it is not
  std::uint64_t sampled_cpu_ = 0;  // and what it was then
  std::uint64_t not_before_ = 0;   // cores were found busy: when to look again
  unsigned busy_ = 0;              // how often they were
  double free_cores_ = 0;          // as last looked at
  std::size_t ran_ = 0;
  std::uint64_t spent_ = 0;
  unsigned own_ = 0;             // the caller's number
  bool was_shared_ = false;      // a helper came, or was waited for in vain
  std::uint64_t shared_at_ = 0;  // 0: not yet, or it is known how long a helper took to come
};

}  // namespace forkful::detail
