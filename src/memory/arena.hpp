// The one stretch of memory that every worker of a pool sees at the same address: mapping, ownership, and which process
// may allocate.
//
// Owns: the mapping (an anonymous memfd, so nothing with a name can leak), the assignment of heap slots, and what is
// private to a process: the mutex over its heap and the frees a worker has deferred. Blocks are in heap.hpp, spans in
// spans.hpp.
//
// Invariants (docs/protocol.md, 8-12):
//   * The mapping keeps its address in every process that inherits it, for as long as that process lives.
//   * A process allocates from exactly one heap of an arena: slot 0 in the process that made the arena, its own slot in
//     a worker. A process that inherited the arena by a fork which forkful knows nothing about allocates elsewhere
//     (here() maps a new arena), and its frees into this one do nothing.
//   * A worker's frees take effect at slice_done(): what a slice frees before it dies is leaked, never used twice.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "memory/budget.hpp"
#include "memory/heap.hpp"
#include "memory/spans.hpp"

namespace forkful::detail {

class arena {
 public:
  static constexpr std::size_t largest = std::size_t{1} << 40;    // never asked for more
  static constexpr std::size_t smallest = std::size_t{64} << 20;  // below it there is no arena

  // The arena this process allocates from: the inherited one in a worker, else own(). Throws start_failed.
  static arena& here();
  // The arena this process made, mapped by the first call: pools put their boards and slots here. In a worker it
  // differs from here(). Throws start_failed.
  static arena& own();
  // The mapped arena this address lies in, or nullptr. Never looks at the memory. Cost: two compares an arena.
  static arena* holding(const void* address) noexcept;
  // A separate arena, unmapped with the handle. With `bytes_left`, which says how much more the machine has, memory is
  // committed before use, as here() does under strict overcommit and in limited control groups.
  // `clock` says how long memory has rested.
  static std::unique_ptr<arena> make_for_test(std::size_t bytes, std::size_t (*bytes_left)() = nullptr,
                                              std::uint64_t (*clock)() = &now_ns);

  ~arena();
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;

  bool contains(const void* data, std::size_t bytes) const noexcept {
    const auto offset = reinterpret_cast<std::uintptr_t>(data) - base_;
    return offset < size_ && bytes <= size_ - offset;
  }
  std::size_t size() const noexcept { return size_; }
  bool constrained() const noexcept { return spans_.commits(); }

  // Lowest free heap slot, 1 and up; slot 0 is the maker's own. Only in the process that made the arena. acquire throws
  // start_failed when all are taken. release wants the slot's process ended; its warm memory goes back to the kernel.
  unsigned acquire_slot();
  void release_slot(unsigned slot) noexcept;
  heap& heap_of(unsigned slot) const noexcept { return heaps_[slot]; }

  // In a forked child, before it allocates: from now on this process allocates from that slot's heap, as its dead
  // predecessor left it, and defers its frees.
  void become_worker(unsigned slot);
  // In a worker: what slices take from now on counts there; past its limit allocate throws std::bad_alloc. The budget outlives
  // the process's use of the arena.
  void charge(memory_budget&) noexcept;
  // In a worker: what was allocated until now is the caller's, and is charged no more.
  void hand_over() noexcept;
  // In a worker: what was freed since the last call becomes reusable.
  void slice_done() noexcept;
  // The slot this process allocates from.
  unsigned slot() const noexcept { return slot_; }

  // Contents are undefined, also in fresh memory. Zero bytes give a block too. Thread-safe. Throws arena_exhausted.
  // `align` is a power of two.
  void* allocate(std::size_t bytes, std::size_t align = 16);
  // Takes blocks of every slot, from any process that takes part in the arena. nullptr is ignored. Thread-safe.
  void deallocate(void* block) noexcept;
  // In a worker: blocks that are freed if it dies before it gives them away. What it frees itself is free at once: no other process knows of
  // them. In the process that made the arena they are blocks like all others.
  loose_block& allocate_loose(std::size_t bytes);
  void deallocate_loose(loose_block&) noexcept;
  // Makes one the first piece of results that this process writes. `held`: it goes on looking at it.
  void give(loose_block&, bool held, segment*& results) noexcept;
  // In the process that made the arena: frees what the slot's process, which has ended, had not given away. `given` says whether a
  // piece is one of results that it left.
  template <class Given>
  void bury(unsigned slot, Given given) noexcept;
  // In that process, too: results are dropped that came with this one, and their worker goes on looking at it (`held`). It is freed when
  // that ends; at once, if it has.
  void leave_untaken(loose_block&, unsigned slot, bool worker_lives) noexcept;
  // The caller has it now. False: it is none of those.
  bool take_untaken(loose_block&) noexcept;
  // While this process looks at what it has not taken, it is not freed. False: it is not this process's to free. Once at a time each.
  bool look_at(loose_block&);
  void look_away(loose_block&) noexcept;
  // Usable bytes of an allocated block.
  std::size_t block_size(const void* block) const noexcept;
  // Whether data .. data + bytes lies inside one block or run of that slot's spans. Never faults, whatever data is.
  bool owned_by(unsigned slot, const void* data, std::size_t bytes) const noexcept;
  // The allocated block or run, of whatever slot, that an address of this arena lies in; empty if there is none. Never
  // faults.
  std::span<std::byte> block_around(const void* data) const noexcept;
  // A private view of memory that stays taken as long as the view: what is written there is this process's alone. nullptr: the system
  // refuses it. At the same place in a page as `data`. Thread-safe.
  std::byte* view(const void* data, std::size_t bytes) noexcept;
  // Bytes taken by all processes, with what they hold for reuse; for the report.
  std::size_t bytes_taken() const noexcept { return spans_.bytes_taken(); }
  // Gives this process's warm memory back to the kernel; in the process that made the arena, also that of all others.
  void trim() noexcept;
  // All that this process takes part in, if there are any yet.
  static void trim_all() noexcept;
  // The same as trim() for what no process has needed for a second, and not since `began`; looks at most once a second.
  // For the process that made the arena: to be called whenever a call has ended, `began` being when that began.
  // Nanoseconds.
  void let_decay(std::uint64_t now, std::uint64_t began) noexcept;

 private:
  struct process_side;

  arena(const shared_mapping&, std::size_t (*bytes_left)(), std::uint64_t (*clock)());
  static std::unique_ptr<arena> make(std::size_t bytes, std::size_t at_least, std::size_t (*bytes_left)(),
                                     std::uint64_t (*clock)());
  bool takes_part() const noexcept;
  void* try_allocate(std::size_t bytes, std::size_t align) noexcept;
  void* charged(void* block);
  std::string exhaustion(span_table::refusal, std::size_t bytes) const;
  void free_now(void* block) noexcept;
  bool is_loose_block(unsigned slot, const loose_block*) const noexcept;
  void bury_untaken(unsigned slot) noexcept;

  std::uintptr_t base_;
  std::size_t size_;
  bool shared_ = false;  // made by own(), not for a test
  heap* heaps_ = nullptr;
  span_table spans_;
  std::uint64_t mark_;  // the process that may use `side_`
  unsigned slot_ = 0;   // 0: this process made the arena, if the mark is its own
  process_side* side_;
  std::atomic<std::uint64_t> looked_{0};  // when decay was looked for last, nanoseconds
  std::atomic<arena*> next_{nullptr};     // list of the arenas mapped in this process, newest first
};

template <class Given>
void arena::bury(unsigned slot, Given given) noexcept {
  if (!takes_part()) return;
  bury_untaken(slot);
  loose_list& left = heaps_[slot].loose;
  const loose_block* const half_given = left.take_given();
  const auto sound = [&](const loose_block* block) { return is_loose_block(slot, block); };
  // A damaged list could be a ring: no more than the arena has room for.
  for (std::size_t freed = 0; freed < size_;) {
    loose_block* const block = left.take_first(sound);
    if (block == nullptr) return;
    freed += block_size(block);
    if (block != half_given || !given(&block->piece)) deallocate(block);
  }
}

}  // namespace forkful::detail
