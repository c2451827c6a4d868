// The side of the threads that run a call: claiming chunks, running them block by block, alone or beside others. The caller's side
// is in thread_call.cpp.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iterator>
#include <new>
#include <utility>

#include "backends/here/thread_call.hpp"
#include "board/pace.hpp"
#include "errors/exceptions.hpp"
#include "os/cpu.hpp"
#include "os/identity.hpp"
#include "os/process.hpp"
#include "worker/block.hpp"
#include "worker/this_worker.hpp"

namespace forkful::detail {

namespace {

constexpr std::size_t largest_block = std::size_t{1} << 20;

}  // namespace

// A chunk while it is run, by the thread that claimed it, without the mutex.
class running_chunk : public chunk_io {
 public:
  running_chunk(thread_call& of, thread_chunk& mine, unsigned worker) noexcept
      : of_(of), mine_(mine), here_(worker), environment_(of.environment_) {
    first = mine.first;
    fail = record_failure;
    mine.reached = mine.first;
    mine.times.worker = worker;
    mine.times.began = mine.times.ended = now_ns();
  }

  // Room for so many results.
  void make_room(std::size_t slices) noexcept {
    const job& work = of_.job_;
    if (work.make_results == nullptr) return;
    try {
      mine_.results = {work.make_results(slices), work.drop_results};
      results = mine_.results.get();
    } catch (...) {
      broken_ = std::current_exception();
    }
  }

  // The next block, which ends before `end`. Returns how many slices it had; 0: nothing more is to be run.
  std::size_t run_block(std::size_t end) noexcept {
    const std::size_t from = mine_.reached;
    const job& work = of_.job_;
    if (from >= end || from >= of_.limit_.load(std::memory_order_relaxed) || broken_ != nullptr) return 0;
    if (of_.options_.stop.stop_requested() || (!mine_.failures.empty() && !work.keep_going)) return 0;
    std::size_t stop = from + (changes_environment_ ? 1 : std::min(end - from, block_.slices()));
    if (mine_.shared) stop = mine_.first + mine_.share.begin(stop - mine_.first);
    if (stop == from) return 0;  // others have taken the rest
    try {
      const std::size_t reached = work.run(work.plan, *this, from, stop);
      // User code has forked and returned here in the child, where the other threads are not.
      if (this_process() != of_.process_) leave(0);
      // A callable that changes the environment once will do so again: no slice is to run behind such a one in the same
      // block. (The first block is one slice.)
      if (of_.environment_.install()) changes_environment_ = true;
      mine_.reached = reached < stop ? reached + 1 : reached;
    } catch (...) {  // no memory to record a failure
      broken_ = std::current_exception();
    }
    if (of_.options_.progress) of_.ran_.fetch_add(mine_.reached - from, std::memory_order_relaxed);
    measure(from);
    if (!mine_.failures.empty() && !work.keep_going) of_.lower_limit(mine_.failures.front().slice);
    return mine_.reached - from;
  }

  [[nodiscard]] std::size_t next_block() const noexcept { return block_.slices(); }
  [[nodiscard]] std::uint64_t took() const noexcept { return took_; }
  // What ended it that belongs to no slice.
  [[nodiscard]] std::exception_ptr broken() noexcept { return std::move(broken_); }

 private:
  static void record_failure(chunk_io& base, std::size_t slice, std::size_t named) {
    thread_chunk& mine = static_cast<running_chunk&>(base).mine_;
    mine.failures.push_back({slice, capture_exception(named, mine.times.worker, 1)});
  }

  void measure(std::size_t from) noexcept {
    const job& work = of_.job_;
    const std::uint64_t began = std::exchange(mine_.times.ended, now_ns());
    took_ = mine_.times.ended - began;
    block_.adapt(took_, short_block_here_ns, largest_block);
    if (const std::chrono::nanoseconds time(took_); time > mine_.slowest.time) {
      mine_.slowest = {work.named(from), work.named(mine_.reached) - work.named(from), mine_.times.worker, time};
    }
    mine_.times.ran = mine_.times.ended - mine_.times.began;
    mine_.times.first = work.named(mine_.first);
    mine_.times.count = work.named(mine_.reached) - mine_.times.first;
  }

  thread_call& of_;
  thread_chunk& mine_;
  worker_scope here_;
  floating_point_scope environment_;
  bool changes_environment_ = false;  // slices of this chunk leave another one
  block_length block_;
  std::uint64_t took_ = 0;  // the last block
  std::exception_ptr broken_;
};

// Empty `fresh`: there was no memory for a chunk.
thread_chunk& thread_call::claim(std::list<thread_chunk>& fresh, std::size_t size) noexcept {
  thread_chunk& mine = fresh.front();
  mine.first = claimed_;
  mine.last = claimed_ += std::min(size, unclaimed());
  chunks_.splice(chunks_.end(), fresh);
  ++running_;
  return mine;
}

void thread_call::done(thread_chunk& mine, std::exception_ptr broken) noexcept {
  --running_;
  mine.done = true;
  if (broken != nullptr) stop(std::move(broken));
  ++events_;
  if (asleep_) news_.notify_one();
}

bool thread_call::ready_to_run(lock_type& lock, unsigned worker, std::list<thread_chunk>& fresh) noexcept {
  std::exception_ptr refused = crew_->get_ready(lock, worker);
  if (refused == nullptr) {
    try {
      fresh.emplace_back();
      return true;
    } catch (const std::bad_alloc&) {
      refused = std::current_exception();
    }
  }
  stop(std::move(refused));
  if (asleep_) news_.notify_one();
  return false;
}

// The next chunk for a thread. Null: there is none.
thread_chunk* thread_call::claim_or_take(std::list<thread_chunk>& fresh) noexcept {
  const std::uint64_t now = ended_ns_;  // about, without a look at the clock
  thread_chunk* mine = nullptr;
  if (now >= looked_ns_ + long_chunk_ns) {
    looked_ns_ = now;
    mine = take(fresh, now - long_chunk_ns, false);
  }
  if (mine == nullptr) mine = claimable() ? &claim(fresh, next_size()) : take(fresh, UINT64_MAX, true);
  if (mine == nullptr) return nullptr;
  mine->since = now;
  const std::size_t slices = mine->last - mine->first;
  mine->shared = options_.chunk == 0 && !job_.alone && slices > 1 && slices <= thread_share::longest;
  if (mine->shared) mine->share.open(slices);
  return mine;
}

bool thread_call::takeable() const noexcept {
  return std::any_of(chunks_.begin(), chunks_.end(), [this](const thread_chunk& one) {
    return !one.done && one.share.unbegun() != 0 && one.last <= limit_.load(std::memory_order_relaxed);
  });
}

// From the thread that has not begun most of those that claimed their chunk by then: half of it, or all but as much as it has begun.
thread_chunk* thread_call::take(std::list<thread_chunk>& fresh, std::uint64_t claimed_before, bool half) noexcept {
  auto from = chunks_.end();
  std::uint64_t most = 0;
  for (auto one = chunks_.begin(); one != chunks_.end(); ++one) {
    const std::uint64_t unbegun = one->done || one->since > claimed_before ? 0 : one->share.unbegun();
    if (unbegun <= most || one->last > limit_.load(std::memory_order_relaxed)) continue;
    most = unbegun;
    from = one;
  }
  if (most == 0) return nullptr;
  const std::size_t cut = from->first + from->share.take(half ? most / 2 : std::min(from->share.begun(), most / 2));
  if (cut >= from->last) return nullptr;
  thread_chunk& mine = fresh.front();
  mine.first = cut;
  mine.last = std::exchange(from->last, cut);
  chunks_.splice(std::next(from), fresh);
  ++running_;
  return &mine;
}

void thread_call::run(lock_type& lock, unsigned worker, std::size_t most) noexcept {
  std::list<thread_chunk> fresh;
  for (; most != 0 && (claimable() || takeable()); --most) {
    if (!ready_to_run(lock, worker, fresh)) return;
    thread_chunk* const next = claim_or_take(fresh);
    if (next == nullptr) return;
    thread_chunk& mine = *next;
    const std::size_t end = mine.last;
    lock.unlock();
    std::exception_ptr broken;
    {
      running_chunk now(*this, mine, worker);
      now.make_room(end - mine.first);
      while (now.run_block(end) != 0) {
      }
      broken = now.broken();
    }
    lock.lock();
    ended_ns_ = mine.times.ended;
    done(mine, std::move(broken));
  }
}

void thread_call::run_alone(lock_type& lock, unsigned worker) noexcept {
  std::list<thread_chunk> fresh;
  if (!ready_to_run(lock, worker, fresh) || !claimable()) return;
  const std::size_t all = unclaimed();
  thread_chunk& mine = claim(fresh, 1);
  lock.unlock();
  std::exception_ptr broken;
  {
    running_chunk now(*this, mine, worker);
    now.make_room(all);
    for (;;) {
      const std::size_t count = now.run_block(mine.last);
      lock.lock();
      if (mine.reached < mine.last) {
        if (count != 0) {
          lock.unlock();
          continue;
        }
        break;
      }
      block_began_ = mine.times.ended;
      if (crew_->closed()) close();
      if (alone_ && unclaimed() != 0 && !goes_on_alone(mine, count, now.took())) {
        try {
          share(lock, false);
        } catch (const std::bad_alloc&) {
          alone_ = true;  // no memory to share it with
        }
      }
      if (!alone_ || unclaimed() == 0 || completion_.progress_is_due(block_began_, false)) break;
      mine.last = claimed_ += std::min(now.next_block(), unclaimed());
      lock.unlock();
    }
    broken = now.broken();
  }
  done(mine, std::move(broken));
}

void thread_call::lower_limit(std::size_t slice) noexcept {
  std::size_t now = limit_.load(std::memory_order_relaxed);
  while (slice < now && !limit_.compare_exchange_weak(now, slice, std::memory_order_relaxed)) {
  }
}

}  // namespace forkful::detail
