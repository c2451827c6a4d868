// A board with its workers, and the calls that are on it: which threads may touch what, which sleep, which one watches.
//
// Owns board and crew. Calls of several threads share them behind one mutex, which is never held while user code runs. One
// thread at a time leads: it watches the crew, reaps and replaces. The others wait for news of their own call, or of those left to their
// port, and one of them takes over when the leader's call is done. Between calls no thread watches.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "backends/elsewhere/call.hpp"
#include "backends/elsewhere/call_port.hpp"
#include "backends/elsewhere/copies_on_write.hpp"
#include "backends/elsewhere/parent_board.hpp"
#include "backends/elsewhere/relief.hpp"
#include "board/board_memory.hpp"
#include "board/slice_times.hpp"
#include "crew/lateness.hpp"

namespace forkful::detail {

class coordinator {
 public:
  coordinator(unsigned workers, start_method start, const worker_settings& settings);
  coordinator(const coordinator&) = delete;
  coordinator& operator=(const coordinator&) = delete;
  ~coordinator();

  [[nodiscard]] unsigned workers() noexcept { return table_->workers; }
  // Starts the workers that do not run. Throws start_failed when there is none at all, or pool_closed.
  void fill();
  // Throws pool_closed, start_failed.
  std::shared_ptr<call> begin(job& work, const call_options& options, std::shared_ptr<void> owner);
  // Carries the call on. True: it has ended.
  bool advance(const std::shared_ptr<call>& now, const wait_policy& how_long);
  // Takes back what no worker has begun, or with `kill` ends the worker that is running it. True: cancelled.
  bool cancel(call& now, bool kill);
  // A worker has begun some of it.
  [[nodiscard]] bool begun(call& now);
  // The caller will not ask for the call any more. Takes it over, so that it is retired behind the mutex and destroyed
  // after it.
  void drop(std::shared_ptr<call> now, bool ended);

  void open(call_port& mine);
  void close(call_port& mine) noexcept;
  // `known_as`: what next() is to return.
  void leave_to(call_port& mine, call& one, const ongoing& known_as);
  // As port::next.
  const ongoing* next(call_port& mine, std::uint64_t until);
  void ring(call_port& mine) noexcept;

  // Carries on until the board is empty.
  void drain();
  // The same, and ends all workers in good order. Nothing more can be begun.
  void finish();
  // As lasting_engine::started.
  bool started(std::uint64_t until);
  // As lasting_engine::finish.
  bool leave(std::uint64_t until);
  // Ends all workers; what was not done is cancelled, and nothing more can be begun.
  void terminate();
  // Ends all workers if there is nothing on the board and no call is about to publish more. True if so.
  // With `unowned`, retired calls are put there instead of being destroyed here.
  bool rest(std::vector<std::shared_ptr<retirable>>* unowned = nullptr);
  // All that is left to do was published.
  [[nodiscard]] bool ends_by_itself();
  // What there is to say in a call's report of how workers were started, and the threads that ran when one was forked.
  void describe(call& of);
  // With a timeline: what workers have copied on write since they were last looked at. After calls that took too short for
  // looking to be worth it, nothing.
  void look_at_copies(report& happened);
  // Wakes the threads that wait, so that a request to stop is seen. From any thread.
  void wake() noexcept;

 private:
  using lock_type = std::unique_lock<std::mutex>;

  void take_back_finished();
  bool carry_on(const std::shared_ptr<call>& now, lock_type& lock, const wait_policy& how_long);
  void wait(call* now, lock_type& lock, std::uint64_t until, call_port* mine = nullptr);
  bool spin(call& now, lock_type& lock, std::uint64_t until);
  void sleep(call* now, lock_type& lock, std::uint64_t until, const call_port* mine);
  void let_another_lead() noexcept;
  void want(std::uint64_t sequence) noexcept;
  void take_back(std::uint64_t sequence);
  void notify_all() noexcept;
  void check_workers(call* now, std::uint64_t slept);
  void give_up_all(const std::exception_ptr& reason) noexcept;
  void gather_limits() noexcept;
  std::uint64_t wake_workers() noexcept;
  void wake_workers_for(call& now) noexcept;
  void fill_for(call* now);
  bool worker_died(unsigned worker, unsigned incarnation, const death& end, call* seen_by);
  void empty_board(lock_type& lock, std::uint64_t until = for_ever);
  void empty_board_or_collapse(lock_type& lock, std::uint64_t until = for_ever);
  void note_end_of_input(call& now) noexcept;
  void destroy_retired(lock_type& lock) noexcept;

  arena& arena_;
  board_memory table_;
  crew crew_;
  lateness late_;
  relief relief_;
  parent_board board_;
  std::uint64_t made_by_;
  std::mutex mutex_;
  unsigned open_ = 0;              // calls that may publish more
  bool led_ = false;               // a thread watches the crew
  std::vector<call*> followers_;   // calls whose threads wait for the leader
  std::condition_variable unled_;  // for a thread that waits without a call of its own
  call_ports ports_;
  std::uint64_t calls_ = 0;
  std::uint64_t looked_ = 0;                 // when the crew was looked at last: a worker that has ended was alive then
  unsigned idle_deaths_ = 0;                 // in a row
  std::atomic<std::uint64_t> last_wake_{0};  // when a worker was last woken; 0: not since the board was empty
  std::atomic<unsigned> unlooked_{0};
  slice_times took_;
  wakings woken_;  // for what was published by callers that then went away
  copies_on_write copies_;
};

}  // namespace forkful::detail
