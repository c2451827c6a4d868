#include "backends/here/auto_call.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "os/account.hpp"
#include "os/breakpoint.hpp"
#include "os/cpu.hpp"

namespace forkful::detail {

namespace {

constexpr std::uint64_t first_look_ns = 60'000;     // a slice that takes longer is worth a look
constexpr std::uint64_t late_look_ns = 10'000'000;  // where it was not worth it before
constexpr std::uint64_t stuck_ns = 50'000;          // blocks that the caller runs alone take less
constexpr std::uint64_t least_sample_ns = 20'000;   // CPU time says nothing about less
constexpr std::uint64_t again_ns = 300'000;         // helpers of an earlier call spin for less before they sleep
constexpr unsigned most_doublings = 5;
constexpr std::size_t most_entries = 256;
constexpr std::uint64_t longest_wake_ns =
    1'000'000;                            // no idle core wakes later: what does shows how busy the cores are
constexpr double worth_it = 1.3;          // so many times its cost, what is gained has to be
constexpr double parallel_already = 1.2;  // cores busy, the caller's own included

}  // namespace

bool must_remeasure(unsigned in_a_row) noexcept { return std::has_single_bit(in_a_row) || in_a_row % 64 == 0; }

std::uint64_t learned_wake(std::uint64_t before, std::uint64_t took) noexcept {
  if (took < before) return (before + took) / 2;
  return std::min((7 * before + std::min(took, 4 * before)) / 8, std::max(before, longest_wake_ns));
}

std::uint64_t doubted_wake(std::uint64_t before) noexcept { return before - before / 32; }

call_history::record call_history::about(run_fn callable) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(callable);
  return found == entries_.end() ? record{} : found->second;
}

void call_history::remember(run_fn callable, const record& what) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    if (entries_.size() >= most_entries) entries_.clear();
    entries_[callable] = what;
  } catch (const std::bad_alloc&) {
    // It is measured again.
  }
}

auto_call::auto_call(std::shared_ptr<thread_crew> where, job& work, const call_options& options,
                     const std::shared_ptr<void>& owner, std::shared_ptr<call_history> history)
    : thread_call(std::move(where), work, options, owner),
      history_(std::move(history)),
      callable_(work.run),
      shareable_(crew().workers() > 1 && (work.pull != nullptr || work.slices > 1)),
      began_(now_ns()) {
  if (owner != nullptr && work.pull == nullptr) return;  // submitted: goes elsewhere at once
  block_began_ = began_;
  if (!shareable_) {
    alone_ = true;
    return;
  }
  known_ = history_->about(callable_);
  const double all = known_.slice_ns * static_cast<double>(work.slices);
  const bool at_once = known_.cores_free && work.pull == nullptr && worth_sharing(all);
  known_.shared = at_once ? known_.shared + 1 : 0;
  if (at_once && !must_remeasure(known_.shared)) {
    shared_at_ = began_;
    return;
  }
  if (!history_->guard.awake()) return;  // no watchdog would see the caller stuck
  const bool not_worth_it = known_.slice_ns >= 0 && !at_once;
  if (!not_worth_it) sample(began_);
  guarded_ = true;
  alone_ = true;  // before it is watched: a look that found otherwise would be the last one
  history_->guard.watch(*this, began_ + (not_worth_it ? late_look_ns : first_look_ns));
  breakpoint(point::watched);
}

auto_call::~auto_call() {
  if (guarded_) history_->guard.forget(*this);
  // No helper came in time to run anything.
  if (shared_at_ != 0) learn_wake(now_ns() - shared_at_);
  if (!shareable_ || ran_ == 0) return;
  known_.slice_ns = static_cast<double>(spent_) / static_cast<double>(ran_);
  const auto all = static_cast<double>(spent_);
  if (!was_shared_ && !worth_sharing(all) && worth_sharing(all, 0.125))
    history_->wake_ns.store(doubted_wake(history_->wake_ns.load(std::memory_order_relaxed)), std::memory_order_relaxed);
  history_->remember(callable_, known_);
}

// R (1 - 1/p) > 1.3 W, for as many cores as there are.
bool auto_call::worth_sharing(double left, double wakes) const noexcept {
  const double p = free_cores_ != 0 ? free_cores_ : std::min(history_->cpus, crew().workers());
  const auto wake = static_cast<double>(history_->wake_ns.load(std::memory_order_relaxed));
  return left * (1 - 1 / p) > worth_it * wakes * wake;
}

bool auto_call::goes_on_alone(const thread_chunk& mine, std::size_t count, std::uint64_t took) noexcept {
  own_ = mine.times.worker;
  if (!shareable_ || count == 0) return true;
  const double mean =
      static_cast<double>(mine.times.ran) / static_cast<double>(std::max<std::size_t>(1, mine.reached - mine.first));
  const double last = static_cast<double>(took) / static_cast<double>(count);
  const double left = static_cast<double>(unclaimed()) * (mean + last) / 2;
  const std::uint64_t now = mine.times.ended;
  if (!worth_sharing(left) || now < not_before_ || !cores_are_free(now) || !worth_sharing(left)) return true;
  shared_at_ = now;
  return false;
}

void auto_call::sample(std::uint64_t now) noexcept {
  sampled_at_ = now;
  sampled_cpu_ = cpu_time();
}

// At least half a core besides the caller's own.
bool auto_call::cores_are_free(std::uint64_t now) noexcept {
  if (sampled_at_ == 0) sample(now);
  if (now - sampled_at_ < least_sample_ns) return false;
  const std::uint64_t cpu = cpu_time();
  const double busy = static_cast<double>(cpu - std::min(cpu, sampled_cpu_)) / static_cast<double>(now - sampled_at_);
  sampled_at_ = now;
  sampled_cpu_ = cpu;
  free_cores_ = std::min(history_->cpus, crew().workers());
  if (busy > parallel_already) free_cores_ -= busy - 1;
  known_.cores_free = free_cores_ >= 1.5;
  free_cores_ = std::max(free_cores_, 1.0);
  if (!known_.cores_free) not_before_ = now + (again_ns << std::min(busy_++, most_doublings));
  return known_.cores_free;
}

void auto_call::saw(const thread_chunk& one) noexcept {
  ran_ += one.reached - one.first;
  spent_ += one.times.ran;
  if (shared_at_ == 0 || one.times.worker == own_ || one.times.began < shared_at_) return;
  learn_wake(one.times.began - shared_at_);
}

// How long the first helper took to come: the next call knows better.
void auto_call::learn_wake(std::uint64_t took) noexcept {
  history_->wake_ns.store(learned_wake(history_->wake_ns.load(std::memory_order_relaxed), took),
                          std::memory_order_relaxed);
  was_shared_ = true;
  shared_at_ = 0;
}

std::uint64_t auto_call::check(std::uint64_t now) noexcept {
  lock_type lock(crew().mutex);
  if (!alone_) return 0;
  const std::uint64_t later = now + std::max(stuck_ns, (now - began_) / 4);
  if (!begun() || unclaimed() == 0 || now < block_began_ + stuck_ns || now < not_before_) return later;
  if (!cores_are_free(now)) return later;
  try {
    shared_at_ = now;
    share(lock, true);  // the caller has a slice already
    return 0;
  } catch (const std::bad_alloc&) {
    shared_at_ = 0;
    return later;
  }
}

}  // namespace forkful::detail
