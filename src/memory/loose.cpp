#include "memory/loose.hpp"

#include "os/breakpoint.hpp"

namespace forkful::detail {

// Compiler fences are enough between the stores, as in heap.hpp.

void loose_list::add(loose_block& block) noexcept {
  loose_block* const second = first_.load(std::memory_order_relaxed);
  block.next.store(second, std::memory_order_relaxed);
  block.before = nullptr;
  block.listed = true;
  if (second != nullptr) second->before = &block;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  first_.store(&block, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  breakpoint(point::loose_added);
}

void loose_list::remove(loose_block& block) noexcept {
  loose_block* const next = block.next.load(std::memory_order_relaxed);
  (block.before == nullptr ? first_ : block.before->next).store(next, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (next != nullptr) next->before = block.before;
  block.listed = false;
}

void loose_list::give(loose_block& block, segment*& chain) noexcept {
  giving_.store(&block, std::memory_order_relaxed);
  block.piece.next = chain;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  breakpoint(point::give_begun);
  chain = &block.piece;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  breakpoint(point::give_linked);
  remove(block);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  breakpoint(point::give_removed);
  giving_.store(nullptr, std::memory_order_relaxed);
}

}  // namespace forkful::detail
