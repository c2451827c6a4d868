// Blocks that a worker has taken and that nobody else knows of: a list a worker slot, so that they can be freed when the worker dies.
//
// Owns nothing but the order of the list, which lies in shared memory: heads in the heap of the slot, links in front of the data.
// Such a block begins as a segment without room, so that it can become a piece of a chunk's results: from then on it shares their fate.
//
// Invariants (docs/protocol.md, 8):
//   * All zero is an empty list. It is read forward only, and each change of that is one store: a list that a worker left at whatever
//     instruction is whole. `before` is the worker's alone.
//   * A block is on the list or a piece of results, or named by `giving_` and perhaps both: whether it is a piece, the pieces tell.
//   * The worker changes it behind the mutex of its arena; after its death the parent takes all off it.
#pragma once

#include <atomic>
#include <cstddef>
#include <forkful/detail/stream.hpp>
#include <forkful/shared.hpp>

namespace forkful::detail {

// In front of the data.
struct alignas(most_alignment) loose_block {
  segment piece{};  // without capacity: nothing else has none
  std::atomic<loose_block*> next{nullptr};
  loose_block* before = nullptr;
  bool listed = false;
  // Once it is a piece: its maker refers to it still. Results that nobody takes leave it until that ends (untaken.hpp).
  bool held = false;

  char* data() noexcept { return reinterpret_cast<char*>(this + 1); }
  static loose_block& of(void* data) noexcept {
    return *reinterpret_cast<loose_block*>(static_cast<char*>(data) - sizeof(loose_block));
  }
};
static_assert(sizeof(loose_block) == 2 * most_alignment && sizeof(loose_block) == before_loose);

class loose_list {
 public:
  // Of the slot's process, behind its mutex.
  void add(loose_block&) noexcept;
  void remove(loose_block&) noexcept;
  // Makes it the first piece of a chain.
  void give(loose_block&, segment*& chain) noexcept;

  // Of a process that has ended. Takes the first block off the list; null: there is none, or the list is broken. `sound`: whether what
  // such a pointer leads to may be looked at.
  template <class Sound>
  loose_block* take_first(Sound sound) noexcept {
    loose_block* const block = first_.load(std::memory_order_relaxed);
    const bool broken = block == nullptr || !sound(block);
    first_.store(broken ? nullptr : block->next.load(std::memory_order_relaxed), std::memory_order_relaxed);
    return broken ? nullptr : block;
  }
  // The one that it was giving away when it ended; null: none.
  loose_block* take_given() noexcept { return giving_.exchange(nullptr, std::memory_order_relaxed); }

 private:
  std::atomic<loose_block*> first_;
  std::atomic<loose_block*> giving_;
};

}  // namespace forkful::detail
