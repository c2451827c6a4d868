// One worker slot's heap, as it lies in shared memory, and what a process does with it.
//
// Owns the blocks of the spans that carry its slot. Small blocks come in size classes, one class a span, without
// headers: class and owner stand in the span's word. Anything larger is a run of spans. After Leijen, Zorn, de Moura,
// "Mimalloc: free list sharding in action" (2019): local lists without atomics, one list that other processes push to.
//
// Invariants (docs/protocol.md, 8):
//   * All zero is an empty heap. A replacement can go on from every state between two stores: taking a block is one
//     store, giving one back is link, then head. A death leaks at most the block (or span) in hand.
//   * Only the slot's process (behind its private mutex) touches `own_`, and only it pops `from_others_`, one block at
//     a time: a single consumer, so there is no ABA. Any process may push there.
//   * There is no lock in here.
//
// Memory orders. Between a process and its replacement the kernel orders everything: the death was waited for before
// the fork. What is left is the order in which one thread's stores happen as seen by a SIGKILL between two of them. The
// hardware takes a kill between two instructions, with all stores before it done and none after; so a compiler fence is
// enough, and stands wherever the user's first write to a block could otherwise be moved before the store that took it.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "memory/loose.hpp"
#include "memory/spans.hpp"

namespace forkful::detail {

inline constexpr std::size_t largest_small = std::size_t{32} << 10;
inline constexpr unsigned size_classes = 40;
inline constexpr unsigned run_sizes = 48;  // powers of two a run's length may reach

// 16 ... 128 in steps of 16, then four to a doubling.
constexpr unsigned size_class_of(std::size_t bytes) noexcept {
  if (bytes <= 128) return bytes == 0 ? 0U : static_cast<unsigned>((bytes - 1) / 16);
  const auto doubling = static_cast<unsigned>(std::bit_width(bytes - 1)) - 1;
  return 8 + (doubling - 7) * 4 + static_cast<unsigned>((bytes - 1) >> (doubling - 2) & 3);
}

constexpr std::size_t class_bytes(unsigned size_class) noexcept {
  if (size_class < 8) return (size_class + 1) * std::size_t{16};
  return std::size_t{5 + (size_class - 8) % 4} << (5 + (size_class - 8) / 4);
}

// Private to a process: how much unused memory may stay warm, instead of going back to the kernel.
struct warm_limits {
  std::uint64_t least = 0;       // in each heap, always
  std::uint64_t most_taken = 0;  // with more taken in all the arena, only `least` stays warm; no bound grows by more
  std::uint64_t taken = 0;       // in the whole arena, when it was counted last: a load a span
  std::uint64_t trusted = 0;     // counted again after so many more bytes stay warm
};

// How much more than `least` may stay warm in one heap. Grows where memory was given back too early: by as much as was given back
// because of this bound and then taken afresh, because pages that are new to the kernel cost ten times what copying into them does.
struct warm_bound {
  std::uint64_t more = 0;
  std::uint64_t given_back = 0;  // because of it, and not taken afresh since
};

// Private to the slot's process: the warm runs of its heap.
struct warm_runs {
  warm_limits limits;
  warm_bound bound;
  std::uint64_t bytes = 0;  // on the heap's own lists
  bool counted = false;     // false: the lists were left by a predecessor and have to be walked
};

// Private to a process: how much of what it gave to another heap is still warm there, as far as it knows. A guess that
// a death or a third process may put wrong; it decides only whether memory stays warm.
struct given_runs {
  warm_bound bound;  // stays as it is when sizes change: what lies there then, the heap's owner takes or gives back
  std::uint64_t bytes = 0;   // put on the heap's list by this process and not seen taken
  std::uint64_t taken = 0;   // the heap's `taken_from_others_` when last looked at
  std::uint64_t afresh = 0;  // the heap's `taken_afresh_` when last looked at
};

class heap {
 public:
  // These belong to the slot's process and run behind its mutex. nullptr: no memory.
  void* allocate_small(span_table& spans, unsigned slot, unsigned size_class) noexcept;
  void* allocate_run(span_table& spans, unsigned slot, std::size_t length, std::size_t align, warm_runs& warm) noexcept;
  void free_small(void* block, unsigned size_class) noexcept;
  // `run` begins a run of this heap that is in use.
  void free_run(span_table& spans, unsigned slot, void* run, warm_runs& warm) noexcept;
  // Gives warm runs back to the kernel until at most `keep` bytes are left, first those that other processes freed.
  void trim(span_table& spans, unsigned slot, std::uint64_t keep, warm_runs& warm) noexcept;

  // Any process may call these, for blocks of this heap.
  void push_small(void* block, unsigned size_class) noexcept;
  void push_run(span_table& spans, void* run, warm_limits& limits, given_runs& given) noexcept;

  // Blocks of the slot's process that are to be freed when it dies.
  loose_list loose;

 private:
  using address = std::uint64_t;      // of a block; 0: none
  using link = std::atomic<address>;  // the head of a list, or the first bytes of a free block

  struct own_class {
    link free;                  // blocks given back, newest first
    std::atomic<address> bump;  // next byte never given out; 0 or the end of its span: none left
  };

  static link& link_in(address block) noexcept;
  static void put(link& head, address block) noexcept;
  static void push(link& head, address block) noexcept;
  address pop(link& head) noexcept;
  address pop_run_from_others(span_table& spans, unsigned slot) noexcept;
  void keep_or_release(span_table& spans, address run, std::size_t length, warm_runs& warm) noexcept;
  void count(span_table& spans, unsigned slot, warm_runs& warm) noexcept;

  alignas(64) std::array<own_class, size_classes> own_;
  std::array<link, run_sizes> own_runs_;  // [k]: free runs of 2^k ... 2^(k+1) - 1 spans
  alignas(64) std::array<link, size_classes> from_others_;
  link runs_from_others_;
  // Bytes of runs ever popped from there, and of those that were taken from the arena. They only grow, and the owner writes them.
  std::atomic<std::uint64_t> taken_from_others_;
  std::atomic<std::uint64_t> taken_afresh_;
};

static_assert(class_bytes(size_classes - 1) == largest_small && size_class_of(largest_small) == size_classes - 1);
static_assert(size_class_of(128) == 7 && class_bytes(8) == 160 && size_class_of(129) == 8);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace forkful::detail
