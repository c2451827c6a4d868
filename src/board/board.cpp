#include "board/board.hpp"

#include <algorithm>

#include "board/pace.hpp"
#include "os/breakpoint.hpp"
#include "os/futex.hpp"

namespace forkful::detail {

namespace {

// Tries to claim one entry.
bool try_claim(board& table, std::uint64_t sequence, unsigned worker, unsigned incarnation, claim& got) noexcept {
  chunk& entry = table.entry(sequence);
  // relaxed: only a hint whether the exchange below is worth trying.
  std::uint64_t seen = entry.word.load(std::memory_order_relaxed);
  if (chunk_word(seen).state() != chunk_state::ready) return false;
  breakpoint(point::claim_before);
  const chunk_word mine = chunk_word(seen).claimed_by(worker, incarnation);
  // acquire: pairs with the release in publish, so the entry's plain members are visible. release: this worker's cleared
  // cursor is visible to a process that sees it as the holder.
  if (!entry.word.compare_exchange_strong(seen, mine.bits(), std::memory_order_acq_rel, std::memory_order_relaxed)) {
    return false;
  }
  got = {&entry, sequence, mine};
  return true;
}

bool claim_between(board& table, std::uint64_t from, std::uint64_t to, unsigned worker, unsigned incarnation,
                   claim& got) noexcept {
  for (std::uint64_t sequence = from; sequence < to; ++sequence) {
    if (try_claim(table, sequence, worker, incarnation, got)) return true;
  }
  return false;
}

void announce(board& table) noexcept {
  // release: a worker that sees the new epoch sees what was published. The fence: it is visible before the parent reads
  // which workers sleep. A worker stores `sleeping`, fences, and the kernel compares the epoch: one of the two sees the
  // other (Dekker).
  table.epoch.store(table.epoch.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace

claim claim_chunk(board& table, unsigned worker, unsigned incarnation) noexcept {
  claim got;
  // acquire: entries below `published` were written before it.
  const std::uint64_t end = table.published.load(std::memory_order_acquire);
  const std::uint64_t hint = table.next.load(std::memory_order_relaxed);
  // acquire: an entry below `reclaimed` may be in use again for a later sequence only after this value was stored.
  const std::uint64_t start = table.reclaimed.load(std::memory_order_acquire);
  // First from the hint; then everything in use, because a chunk published again lies below the hint.
  const std::uint64_t from = std::clamp(hint, start, std::max(start, end));
  if (from < end) {
    // Both lines at once, the first of them to be written: one after the other, each costs a trip.
    __builtin_prefetch(&table.entry(from).word, 1);
    __builtin_prefetch(&table.entry(from));
  }
  if (claim_between(table, from, end, worker, incarnation, got) ||
      claim_between(table, start, std::min(from, end), worker, incarnation, got)) {
    table.next.store(got.sequence + 1, std::memory_order_relaxed);
    breakpoint(point::claim_after);
  }
  return got;
}

bool finish_chunk(board& table, const claim& done) noexcept {
  // release: the results and everything run in place are visible to the parent that acquires `done`.
  done.held->word.store(done.word.finished().bits(), std::memory_order_release);
  // seq_cst fence between our store and the load of `parent_asleep`; the parent mirrors it: store `parent_asleep`,
  // fence, look at the words. Acquire and release would let both read the old value (docs/protocol.md, 5).
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return table.parent_asleep.load(std::memory_order_relaxed) != 0 &&
         done.sequence >= table.wanted.load(std::memory_order_relaxed);
}

std::uint64_t begin_slices(worker_slot& slot, std::uint64_t wanted) noexcept {
  // relaxed: the word alone decides, and publishes nothing but itself. What a taken slice was given lies in its chunk's input.
  std::uint64_t seen = slot.share.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint64_t to = std::min(wanted, chunk_share(seen).end());
    if (slot.share.compare_exchange_weak(seen,
                                         chunk_share(seen).with_begun(std::max(to, chunk_share(seen).begun())).bits(),
                                         std::memory_order_relaxed)) {
      return to;
    }
  }
}

std::uint64_t take_unbegun(worker_slot& slot, std::uint32_t generation, std::uint64_t end,
                           std::uint64_t left) noexcept {
  std::uint64_t seen = slot.share.load(std::memory_order_relaxed);
  for (;;) {
    const chunk_share share(seen);
    // The worker may have gone mad: what it says is believed only where it can be.
    if (!share.is_of(generation) || share.end() != end || share.begun() + left >= end) return end;
    const std::uint64_t from = share.begun() + left;
    if (slot.share.compare_exchange_weak(seen, share.with_end(from).bits(), std::memory_order_relaxed)) return from;
  }
}

bool parent_sleeps(board& table) noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return table.parent_asleep.load(std::memory_order_relaxed) != 0;
}

bool any_worker_awake(const board& table) noexcept {
  for (unsigned worker = 0; worker < table.workers; ++worker) {
    if (table.slots[worker].state.load(std::memory_order_relaxed) != worker_state::sleeping) return true;
  }
  return false;
}

bool all_running(const board& table) noexcept {
  for (unsigned worker = 0; worker < table.workers; ++worker) {
    if (table.slots[worker].state.load(std::memory_order_relaxed) != worker_state::running) return false;
  }
  return true;
}

void wake_one(board& table) noexcept {
  bool sleeper = false;
  for (unsigned worker = 0; worker < table.workers; ++worker) {
    const worker_state state = table.slots[worker].state.load(std::memory_order_relaxed);
    if (state == worker_state::spinning) return;  // it will find the work by itself
    sleeper = sleeper || state == worker_state::sleeping;
  }
  if (sleeper) futex_wake(table.epoch, 1);
}

void wake_sleeper(board& table) noexcept { futex_wake(table.epoch, 1); }

void wake_for_unclaimed(board& table, wakings& known, std::uint64_t now) noexcept {
  const std::uint64_t unclaimed = probably_unclaimed(table);
  if (unclaimed == 0) return;
  std::uint64_t looking = 0;
  std::uint64_t asleep = 0;
  std::uint64_t risen = 0;
  for (unsigned worker = 0; worker < table.workers; ++worker) {
    const worker_slot& slot = table.slots[worker];
    // acquire, and in this order, the reverse of the worker's: one that seems to sleep, and is awake, will be counted among those that
    // rose since.
    risen += slot.risen.load(std::memory_order_acquire);
    const worker_state state = slot.state.load(std::memory_order_acquire);
    looking += state == worker_state::spinning ? 1 : 0;
    asleep += state == worker_state::sleeping ? 1 : 0;
  }
  // A count that has gone round looks like many more: then no worker is on its way.
  const std::uint64_t since = risen - known.risen;
  const std::uint64_t pending =
      now - known.began < rises_within_ns && since < known.pending ? known.pending - since : 0;
  if (asleep <= pending || looking + pending >= unclaimed) return;
  const std::uint64_t more = std::min(asleep - pending, unclaimed - looking - pending);
  // Where the kernel finds fewer, the others are on their way already: woken before and not yet on a core, or about to sleep, which
  // the new epoch prevents.
  const unsigned woken = futex_wake(table.epoch, static_cast<unsigned>(more));
  known = {now, woken < more ? asleep : pending + woken, risen};
}

void publish_chunk(board& table, std::uint64_t reclaimed, unsigned attempt, std::uint32_t generation) noexcept {
  const std::uint64_t sequence = table.published.load(std::memory_order_relaxed);
  // release: the entries are as good as new before they may be used for later chunks.
  table.reclaimed.store(reclaimed, std::memory_order_release);
  // release: the entry's plain members before the word, the word before `published`.
  table.entry(sequence).word.store(chunk_word(chunk_state::ready, generation, 0, 0, attempt).bits(),
                                   std::memory_order_release);
  table.published.store(sequence + 1, std::memory_order_release);
  announce(table);
}

std::uint64_t begin_ring(board& table) noexcept {
  const std::uint64_t published = table.published.load(std::memory_order_relaxed);
  const std::uint64_t first = (published + ring_size - 1) / ring_size * ring_size;
  // In this order, and release: no worker looks at an entry between the two, which may never have been written.
  table.reclaimed.store(first, std::memory_order_release);
  table.published.store(first, std::memory_order_release);
  table.next.store(first, std::memory_order_relaxed);
  return first;
}

void publish_again(board& table, std::uint64_t sequence, unsigned attempt, std::uint32_t generation) noexcept {
  table.entry(sequence).word.store(chunk_word(chunk_state::ready, generation, 0, 0, attempt).bits(),
                                   std::memory_order_release);
  // Only a hint, and a racing claimer may overwrite it: idle workers look at everything in use anyway.
  table.next.store(sequence, std::memory_order_relaxed);
  announce(table);
}

std::uint64_t probably_unclaimed(const board& table) noexcept {
  const std::uint64_t published = table.published.load(std::memory_order_relaxed);
  const std::uint64_t next = table.next.load(std::memory_order_relaxed);
  return published > next ? published - next : 0;
}

}  // namespace forkful::detail
