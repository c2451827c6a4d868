// The threads of one thread_pool: an arena of oneTBB's, worker numbers for the threads that run in it, and the calls
// that have slices for them.
//
// Owns the arena. Everything lives in this process, so one mutex guards it all, calls included (thread_call.hpp); it is held for
// some ten instructions at a time, never while user code runs.
//
// Invariants:
// 1. At most `workers` threads run slices at a time, each with its own worker number: a thread without one runs none.
// 2. A thread that gives up its number has seen that no open call has slices to claim. So no slice waits while a number
//    is free, except while a helper that was called is on its way.
// 3. It lives until its last helper has come, even if the pool and all calls are gone.
// 4. A call leaves `open_` with the mutex held and is destroyed without it: what it owns is the user's.
#pragma once

#include <oneapi/tbb/spin_mutex.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <forkful/detail/job.hpp>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "board/slice_times.hpp"

namespace forkful::detail {

// A call that gives slices to threads with a worker number: all that a crew knows of it. With the crew's mutex held.
class open_call {
 public:
  using mutex_type = tbb::spin_mutex;
  using lock_type = std::unique_lock<mutex_type>;

  open_call() noexcept = default;
  open_call(const open_call&) = delete;
  open_call& operator=(const open_call&) = delete;
  virtual ~open_call() = default;

  // There are slices that no thread has claimed and one should.
  [[nodiscard]] virtual bool claimable() const noexcept = 0;
  // How many chunks what is left to claim makes, at least; as far as it is there.
  [[nodiscard]] virtual std::size_t chunks_left() const noexcept = 0;
  // Runs at most so many chunks. The mutex is released meanwhile.
  virtual void run(lock_type& lock, unsigned worker, std::size_t most) noexcept = 0;
  // The pool has ended: what no thread has claimed is lost.
  virtual void close() noexcept = 0;
};

class thread_crew : public std::enable_shared_from_this<thread_crew> {
 public:
  using mutex_type = open_call::mutex_type;
  using lock_type = open_call::lock_type;

  thread_crew(unsigned workers, const pool_options& options);
  thread_crew(const thread_crew&) = delete;
  thread_crew& operator=(const thread_crew&) = delete;
  ~thread_crew() = default;

  mutex_type mutex;
  // Behind it: calls that have begun and were not released, and how many ever have begun.
  unsigned calls = 0;
  std::uint64_t begun = 0;
  slice_times took;
  [[nodiscard]] unsigned workers() const noexcept { return workers_; }

  // A number to run under, for as long as it lives. A thread that runs here already (a slice that calls a verb) keeps its own.
  class worker_number {
   public:
    // With the mutex held, here and at the end. Without effect if all are taken.
    worker_number(thread_crew& where, lock_type& lock) noexcept;
    worker_number(const worker_number&) = delete;
    worker_number& operator=(const worker_number&) = delete;
    ~worker_number();
    [[nodiscard]] bool taken() const noexcept { return taken_; }
    [[nodiscard]] unsigned worker() const noexcept { return worker_; }

   private:
    thread_crew& where_;
    lock_type& lock_;
    worker_number* outer_;  // of this thread, in whatever pool
    unsigned worker_ = 0;
    bool taken_ = false;
    bool borrowed_ = false;
  };

  // ---- With the mutex held. ----

  // The call has slices that no thread has claimed. Throws bad_alloc.
  void open(std::shared_ptr<open_call> call);
  // No thread is to run it any more.
  void forget(const open_call& call) noexcept;
  // So many more threads may run slices: calls helpers for free numbers, a few now, the others through them. They come
  // in a while, or not at all where the system gives no threads.
  void call_helpers(lock_type& lock, std::size_t wanted) noexcept;
  [[nodiscard]] bool closed() const noexcept { return closed_; }
  // False where no thread can help: the thread that waits for a call runs it.
  [[nodiscard]] bool has_threads() const noexcept { return threads_ != nullptr || closed_; }
  // Before a worker's first slice: on_worker_start, with the mutex released. If it throws, start_failed is returned.
  std::exception_ptr get_ready(lock_type& lock, unsigned worker) noexcept;

  // ---- Without it. ----

  // Ends it: lets what is open be finished, and returns when no thread runs slices any more; or, `now`, loses what no thread has
  // claimed, and returns at once. on_worker_exit is called for each worker that has run slices and runs none.
  void end(bool now);

 private:
  struct threads;

  void help() noexcept;
  void run_open_calls(lock_type& lock, unsigned worker) noexcept;

  unsigned workers_;
  // No more helpers than that are on their way at a time; each calls others when it is there. Of many more than there
  // are cores, all woken at once, one with a short slice in hand would wait for its turn to run, and the call for it.
  std::size_t most_coming_;
  void (*on_worker_start_)();
  void (*on_worker_exit_)();
  std::shared_ptr<threads> threads_;  // null: ended, or they stayed behind when this process was forked
  std::vector<unsigned> free_;        // numbers, the lowest last
  std::vector<bool> started_;         // by number
  std::deque<std::shared_ptr<open_call>> open_;
  std::size_t coming_ = 0;  // helpers that were called and are not here yet
  bool closed_ = false;
  std::list<std::shared_ptr<thread_crew>> node_{1};  // among those that have ended but for helpers on their way
  std::condition_variable_any quiet_;                // a thread gave up its number
};

}  // namespace forkful::detail
