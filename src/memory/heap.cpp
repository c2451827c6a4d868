#include "memory/heap.hpp"

#include <algorithm>

#include "os/breakpoint.hpp"

namespace forkful::detail {

namespace {

constexpr unsigned looked_at = 32;  // free runs of one size tried for a fit: bounds the walk, each step is a cache miss

std::uint64_t address_of(const void* block) { return reinterpret_cast<std::uintptr_t>(block); }
void* to_pointer(std::uint64_t block) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(block)); }

// Length in spans if `block` is the beginning of a run of that slot that rests, else 0. Lists lie in memory that user code can
// reach: a broken link ends a list, it does not spread.
std::size_t run_length(const span_table& spans, unsigned slot, std::uint64_t block) {
  const std::size_t first = spans.index(to_pointer(block));
  const span_word word = spans.word(first);
  return !word.free() && spans.address(first) == to_pointer(block) && word.rests() && word.slot() == slot
             ? word.length()
             : 0;
}

// Whether a run may stay warm in a heap where so many bytes are.
bool may_keep(const span_table& spans, std::uint64_t run, std::uint64_t warm, warm_limits& limits, warm_bound& bound) {
  if (warm + run <= limits.least) return true;
  if (warm + run > limits.least + bound.more) {
    bound.given_back += run;
    return false;
  }
  if (limits.trusted >= run) {
    limits.trusted -= run;
  } else {
    limits.taken = spans.bytes_taken();
    limits.trusted = limits.most_taken / 64;
  }
  return limits.taken <= limits.most_taken;
}

// So many bytes had to be taken from the kernel.
void took_afresh(std::uint64_t bytes, const warm_limits& limits, warm_bound& bound) {
  const std::uint64_t too_early = std::min(bound.given_back, bytes);
  bound.given_back -= too_early;
  bound.more = std::min(bound.more + too_early, limits.most_taken);
}

// Only the owner of the counter writes it: relaxed, load and store.
void grow(std::atomic<std::uint64_t>& counter, std::uint64_t bytes) {
  counter.store(counter.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
}

unsigned run_size_of(std::size_t length) { return static_cast<unsigned>(std::bit_width(length)) - 1; }

}  // namespace

heap::link& heap::link_in(address block) noexcept { return *static_cast<link*>(to_pointer(block)); }

// Puts a block on a list that only this process changes. Dying before the second store leaks the block; after it, the
// replacement finds it. release: the link is stored before the head, for the compiler too (free on x86).
void heap::put(link& head, address block) noexcept {
  breakpoint(point::free_before);
  link_in(block).store(head.load(std::memory_order_relaxed), std::memory_order_relaxed);
  breakpoint(point::free_linked);
  head.store(block, std::memory_order_release);
}

// Puts a block on a list that other processes push to and its owner pops from. release: the owner's acquire sees the
// link, and all that happened to the block before. relaxed on the load: `old` is only linked to, never looked into.
void heap::push(link& head, address block) noexcept {
  breakpoint(point::free_before);
  address old = head.load(std::memory_order_relaxed);
  do {
    link_in(block).store(old, std::memory_order_relaxed);
    breakpoint(point::free_linked);
  } while (!head.compare_exchange_weak(old, block, std::memory_order_release, std::memory_order_relaxed));
}

// Takes the newest block of a list that other processes push to; 0 if there is none. Only the owner pops, so the block
// seen at the head stays on the list until this very exchange: its link is stable and the exchange cannot mistake an
// old head for a new one. acquire: pairs with the release of the push that made it the head; older pushes belong to the
// same release sequence, every change of the head being a read-modify-write. The exchange itself publishes nothing:
// relaxed, with acquire on failure because the loop then looks into another block.
heap::address heap::pop(link& head) noexcept {
  address block = head.load(std::memory_order_acquire);
  if (block == 0) return 0;
  breakpoint(point::alloc_before);
  while (
      !head.compare_exchange_weak(block, link_in(block).load(std::memory_order_relaxed), std::memory_order_acquire)) {
  }
  std::atomic_signal_fence(std::memory_order_seq_cst);
  breakpoint(point::alloc_after);
  return block;
}

void* heap::allocate_small(span_table& spans, unsigned slot, unsigned size_class) noexcept {
  own_class& mine = own_[size_class];
  if (const address block = mine.free.load(std::memory_order_relaxed); block != 0) {
    const address next = link_in(block).load(std::memory_order_relaxed);
    breakpoint(point::alloc_before);
    mine.free.store(next, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // the block's link may be overwritten only after this store
    breakpoint(point::alloc_after);
    return to_pointer(block);
  }
  if (const address block = pop(from_others_[size_class]); block != 0) return to_pointer(block);

  const std::size_t bytes = class_bytes(size_class);
  const address bump = mine.bump.load(std::memory_order_relaxed);
  // 0 wraps round and yields an end of 0: full. A bump at the end of its span still finds that span.
  const address end = ((bump - 1) & ~address{span_bytes - 1}) + span_bytes;
  address block = bump;
  if (bump + bytes <= end) {
    breakpoint(point::alloc_before);
  } else {
    const std::size_t span = spans.claim_small(slot, size_class);
    if (span == span_table::none) return nullptr;
    block = address_of(spans.address(span));
    breakpoint(point::span_claimed);  // dying here leaks the span: it is the block in hand
  }
  // One store both installs a new span and takes its first block.
  mine.bump.store(block + bytes, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  breakpoint(point::alloc_after);
  return to_pointer(block);
}

void heap::free_small(void* block, unsigned size_class) noexcept { put(own_[size_class].free, address_of(block)); }

void heap::push_small(void* block, unsigned size_class) noexcept { push(from_others_[size_class], address_of(block)); }

void* heap::allocate_run(span_table& spans, unsigned slot, std::size_t length, std::size_t align,
                         warm_runs& warm) noexcept {
  if (!warm.counted) count(spans, slot, warm);
  const auto fits = [&](address run, std::size_t its_length) {
    return its_length >= length && its_length <= length + length / 4 && run % align == 0;
  };

  const unsigned longest = run_size_of(length + length / 4);
  for (unsigned size = run_size_of(length); size <= longest; ++size) {
    link* before = &own_runs_[size];
    for (unsigned looked = 0; looked < looked_at; ++looked) {
      const address run = before->load(std::memory_order_relaxed);
      if (run == 0) break;
      const std::size_t its_length = run_length(spans, slot, run);
      if (its_length == 0) {
        before->store(0, std::memory_order_relaxed);
        break;
      }
      if (fits(run, its_length)) {
        breakpoint(point::alloc_before);
        before->store(link_in(run).load(std::memory_order_relaxed), std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst);
        breakpoint(point::alloc_after);
        warm.bytes -= std::min<std::uint64_t>(warm.bytes, its_length * span_bytes);
        if (spans.rouse(spans.index(to_pointer(run)))) return to_pointer(run);
        spans.release_run(spans.index(to_pointer(run)));
        break;
      }
      before = &link_in(run);
    }
  }

  while (const address run = pop_run_from_others(spans, slot)) {
    const std::size_t its_length = run_length(spans, slot, run);
    if (!fits(run, its_length)) {
      keep_or_release(spans, run, its_length, warm);
      continue;
    }
    if (spans.rouse(spans.index(to_pointer(run)))) return to_pointer(run);
    spans.release_run(spans.index(to_pointer(run)));  // there is no memory to back it with again
  }

  // A miss while much is warm shows that sizes have changed.
  const std::uint64_t least = warm.limits.least;
  if (const std::uint64_t half = (least + warm.bound.more) / 2; warm.bytes > half) {
    trim(spans, slot, half, warm);
    warm.bound.more = std::max(least, half) - least;
  }
  const std::size_t first = spans.claim_run(slot, length, align);
  if (first == span_table::none) return nullptr;
  breakpoint(point::span_claimed);
  grow(taken_afresh_, length * span_bytes);
  took_afresh(length * span_bytes, warm.limits, warm.bound);
  return spans.address(first);
}

void heap::free_run(span_table& spans, unsigned slot, void* run, warm_runs& warm) noexcept {
  if (!warm.counted) count(spans, slot, warm);
  keep_or_release(spans, address_of(run), spans.word(spans.index(run)).length(), warm);
}

void heap::push_run(span_table& spans, void* run, warm_limits& limits, given_runs& given) noexcept {
  const std::uint64_t bytes = spans.word(spans.index(run)).detail() * span_bytes;
  // relaxed, both: they feed a guess.
  const std::uint64_t taken = taken_from_others_.load(std::memory_order_relaxed);
  given.bytes -= std::min(given.bytes, taken - given.taken);
  given.taken = taken;
  const std::uint64_t afresh = taken_afresh_.load(std::memory_order_relaxed);
  took_afresh(afresh - given.afresh, limits, given.bound);
  given.afresh = afresh;
  // A process that dies between taking a run and counting it would leave the guess too high for ever; an empty list
  // puts it right.
  if (runs_from_others_.load(std::memory_order_relaxed) == 0) given.bytes = 0;
  if (!may_keep(spans, bytes, given.bytes, limits, given.bound)) {
    spans.release_run(spans.index(run));
    return;
  }
  given.bytes += bytes;
  spans.rest(spans.index(run));
  push(runs_from_others_, address_of(run));
}

void heap::trim(span_table& spans, unsigned slot, std::uint64_t keep, warm_runs& warm) noexcept {
  if (!warm.counted) count(spans, slot, warm);
  while (const address run = pop_run_from_others(spans, slot))
    keep_or_release(spans, run, run_length(spans, slot, run), warm);
  for (unsigned size = run_sizes; size-- > 0;) {
    link& head = own_runs_[size];
    while (warm.bytes > keep) {
      const address run = head.load(std::memory_order_relaxed);
      if (run == 0) break;
      const std::size_t length = run_length(spans, slot, run);
      // First off the list, then given back: dying between leaks the run, the other order would give it to two owners.
      head.store(length == 0 ? 0 : link_in(run).load(std::memory_order_relaxed), std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
      if (length == 0) break;
      warm.bytes -= std::min<std::uint64_t>(warm.bytes, length * span_bytes);
      spans.release_run(spans.index(to_pointer(run)));
    }
  }
}

heap::address heap::pop_run_from_others(span_table& spans, unsigned slot) noexcept {
  const address run = pop(runs_from_others_);
  if (run == 0) return 0;
  const std::size_t length = run_length(spans, slot, run);
  if (length == 0) {
    runs_from_others_.store(0, std::memory_order_relaxed);  // overwritten by user code: what it leads to is leaked
    return 0;
  }
  grow(taken_from_others_, length * span_bytes);
  return run;
}

void heap::keep_or_release(span_table& spans, address run, std::size_t length, warm_runs& warm) noexcept {
  if (!may_keep(spans, length * span_bytes, warm.bytes, warm.limits, warm.bound)) {
    spans.release_run(spans.index(to_pointer(run)));
    return;
  }
  warm.bytes += length * span_bytes;
  // One that comes from another list rests already, perhaps for long.
  if (!spans.word(spans.index(to_pointer(run))).rests()) spans.rest(spans.index(to_pointer(run)));
  put(own_runs_[run_size_of(length)], run);
}

void heap::count(span_table& spans, unsigned slot, warm_runs& warm) noexcept {
  warm.bytes = 0;
  warm.counted = true;
  for (link& head : own_runs_) {
    link* before = &head;
    while (const address run = before->load(std::memory_order_relaxed)) {
      const std::size_t length = run_length(spans, slot, run);
      if (length == 0 || warm.bytes > spans.count() * span_bytes) {  // broken, or a circle: it ends here
        before->store(0, std::memory_order_relaxed);
        break;
      }
      warm.bytes += length * span_bytes;
      before = &link_in(run);
    }
  }
}

}  // namespace forkful::detail
