// How threads wait for what is on a board: one leads, which spins, sleeps and looks after the crew; the others follow. And how workers are woken
// meanwhile.
//
// Owns nothing of its own: the second half of coordinator.hpp. docs/protocol.md, 5 and "Several calls", says why nobody sleeps over anything.
#include <algorithm>

#include "backends/elsewhere/coordinator.hpp"
#include "board/pace.hpp"
#include "os/cpu.hpp"

namespace forkful::detail {

// Lazy waking: when all workers sleep one is woken at once, and another each time that work has lain unclaimed for a
// while. Short calls are run by the workers that are awake, because waking costs more than they do.
// Returns when it began to wake one; 0: it did not.
std::uint64_t coordinator::wake_workers() noexcept {
  const unsigned before = unlooked_.load(std::memory_order_relaxed);
  if (before % 8 != 7 && any_worker_awake(*table_)) {
    unlooked_.store(before + 1, std::memory_order_relaxed);
    return 0;
  }
  unlooked_.store(0, std::memory_order_relaxed);
  const std::uint64_t now = now_ns();
  if (last_wake_.load(std::memory_order_relaxed) == 0 && any_worker_awake(*table_)) {
    last_wake_.store(now, std::memory_order_relaxed);
  }
  if (now - last_wake_.load(std::memory_order_relaxed) < unclaimed_ns || probably_unclaimed(*table_) == 0) return 0;
  last_wake_.store(now, std::memory_order_relaxed);
  wake_one(*table_);
  return now;
}

void coordinator::wake_workers_for(call& now) noexcept {
  const std::uint64_t began = wake_workers();
  if (began == 0) return;
  const stopwatch::phase before = now.counted.watch.now();
  if (before == stopwatch::phase::wake) return;
  now.counted.watch.enter(stopwatch::phase::wake, began);
  now.counted.watch.enter(before, now_ns());
}

void coordinator::wait(call* now, lock_type& lock, std::uint64_t until, call_port* mine) {
  // Another call may have given up and ended all workers.
  if (!board_.closed && crew_.running_count() == 0) fill_for(now);
  if (now != nullptr && led_) now->counted.watch.enter(stopwatch::phase::idle);
  if (led_) {
    // The leader sleeps, and wakes no worker for what was published since.
    const bool unclaimed = probably_unclaimed(*table_) != 0;
    if (unclaimed) wake_sleeper(*table_);
    const auto most = std::chrono::nanoseconds(
        std::min(unclaimed ? watch_unclaimed_ns : watch_ns, until - std::min(until, now_ns())));
    if (now == nullptr) {
      (mine != nullptr ? mine->news : unled_).wait_for(lock, most);
      return;
    }
    want(now->first_on_board());
    if (now->something_back()) return;
    followers_.push_back(now);
    now->news.wait_for(lock, most);
    followers_.erase(std::find(followers_.begin(), followers_.end(), now));
    return;
  }
  led_ = true;
  try {
    if (now == nullptr || !spin(*now, lock, until)) sleep(now, lock, until, mine);
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    led_ = false;
    throw;
  }
  led_ = false;
  // Our thread may run user code now: another one has to lead meanwhile.
  let_another_lead();
}

void coordinator::let_another_lead() noexcept {
  if (!followers_.empty()) {
    followers_.front()->news.notify_one();
  } else {
    ports_.notify_one();
  }
  unled_.notify_one();
}

// The leader may sleep for a later chunk than this one: says so, before the thread that wants it looks once more (the mirror image
// of finish_chunk: store, fence, load).
void coordinator::want(std::uint64_t sequence) noexcept {
  if (sequence < table_->wanted.load(std::memory_order_relaxed)) {
    table_->wanted.store(sequence, std::memory_order_relaxed);
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

// Results of short slices arrive sooner than a sleeper wakes. True: the call's first chunk is done, or taken care of.
bool coordinator::spin(call& now, lock_type& lock, std::uint64_t until) {
  const std::uint64_t first = now.first_on_board();
  if (now.spun_ns >= caller_spins_ns || table_->max_spinners == 0 || first == board_.head()) return false;
  const std::atomic<std::uint64_t>& word = board_.entry(first).word;
  const std::uint32_t generation = board_.word(first).generation();
  const std::uint64_t began = now_ns();
  now.counted.watch.enter(stopwatch::phase::idle, began);
  const std::uint64_t most = std::min(caller_spins_ns - now.spun_ns, until - std::min(until, began));
  lock.unlock();
  std::uint64_t waited = 0;
  std::uint64_t look = relief_ns;
  bool arrived = false;
  for (; !arrived && waited < most; waited = now_ns() - began) {
    for (int i = 0; i < 32 && !arrived; ++i) {
      // relaxed: the thread that takes the chunk back looks again, with acquire.
      const chunk_word seen(word.load(std::memory_order_relaxed));
      arrived = seen.state() == chunk_state::done || seen.generation() != generation;
      relax();
    }
    if (waited > polite_ns) let_others_run();
    if (waited > unclaimed_ns) wake_workers();
    if (waited >= look) {
      lock.lock();
      look = waited + relief_ns;
      relief_.look(board_);
      lock.unlock();
    }
  }
  lock.lock();
  now.spun_ns += waited;
  if (arrived) now.counted.watch.enter(stopwatch::phase::reassemble, began + waited);
  return arrived;
}

void coordinator::sleep(call* now, lock_type& lock, std::uint64_t until, const call_port* mine) {
  if (now != nullptr) now->counted.watch.enter(stopwatch::phase::idle);
  gather_limits();
  const std::uint64_t look = relief_.look(board_);
  if (look == 0) return;
  until = std::min(until, look);
  const bool unclaimed = board_.something_ready();
  // Regardless of which workers seem to be looking: a spinner may have been stopped.
  if (unclaimed) wake_sleeper(*table_);
  const bool alone = now != nullptr && followers_.empty() && ports_.idle() && !now->wants_room() &&
                     now->first_on_board() != board_.head();
  table_->wanted.store(alone ? now->wanted() : board_.tail(), std::memory_order_relaxed);
  table_->parent_asleep.store(1, std::memory_order_relaxed);
  // Pairs with the fence in finish_chunk: a worker that marks its chunk done after this look sees that we sleep.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // What came back while we were spinning, or while no thread led.
  for (call* one : followers_) {
    if (one->wants_room() || one->something_back()) one->news.notify_one();
  }
  ports_.look(board_);
  const bool room =
      (now == nullptr || now->wants_room()) && board_.tail() != board_.head() && board_.done(board_.tail());
  const bool news = now != nullptr ? now->something_back() : mine != nullptr && mine->has_news();
  if (!room && !news) {
    // Where all workers are running there is none to wake.
    const std::uint64_t most = unclaimed && !all_running(*table_) ? watch_unclaimed_ns : watch_ns;
    const std::uint64_t nanoseconds = std::min(most, until - std::min(until, now_ns()));
    lock.unlock();
    const std::uint64_t slept = now_ns();
    try {
      const waited came = crew_.wait(static_cast<std::int64_t>(nanoseconds));
      lock.lock();
      crew_.check(came);
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      table_->parent_asleep.store(0, std::memory_order_relaxed);
      throw;
    }
    check_workers(now, slept);
  }
  table_->parent_asleep.store(0, std::memory_order_relaxed);
  gather_limits();
  take_back_finished();
  for (call* one : followers_) {
    if (one->wants_room() || one->something_back()) one->news.notify_one();
  }
  ports_.look(board_);
}

}  // namespace forkful::detail
