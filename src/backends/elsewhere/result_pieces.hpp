// The pieces of a chunk's results, for a collector that takes some of them over (job.hpp: finished_slices::keep).
//
// Owns them from the moment in which the first is taken; then they are told apart, and what is left is the chunk's again at the end. What a
// worker wrote is believed as far as it can be (docs/protocol.md, 11).
#pragma once

#include <cstddef>
#include <unordered_set>
#include <utility>

#include "memory/arena.hpp"

namespace forkful::detail {

class result_pieces {
 public:
  result_pieces(arena& memory, segment*& chain, unsigned heap_slot) noexcept
      : memory_(memory), chain_(chain), heap_slot_(heap_slot) {}
  result_pieces(const result_pieces&) = delete;
  result_pieces& operator=(const result_pieces&) = delete;
  ~result_pieces() {
    for (segment* const one : apart_) one->next = std::exchange(chain_, one);
  }

  // job.hpp: finished_slices::keep.
  static void* keep(void* keeper, const void* data) {
    auto& mine = *static_cast<result_pieces*>(keeper);
    if (mine.chain_ != nullptr) mine.take_apart();
    auto* const piece = reinterpret_cast<segment*>(mine.memory_.block_around(data).data());
    if (piece == nullptr) return nullptr;
    const bool taken =
        mine.apart_.erase(piece) != 0 || mine.memory_.take_untaken(*reinterpret_cast<loose_block*>(piece));
    return taken ? piece : nullptr;
  }

 private:
  // As free_chain(): what a worker wrote may be damaged.
  void take_apart() {
    std::unordered_set<segment*> all;
    for (segment* piece = chain_; piece != nullptr; piece = piece->next) {
      const bool sound = memory_.owned_by(heap_slot_, piece, sizeof(segment)) &&
                         memory_.block_around(piece).data() == reinterpret_cast<std::byte*>(piece);
      if (!sound || !all.insert(piece).second) break;
    }
    apart_ = std::move(all);
    chain_ = nullptr;
  }

  arena& memory_;
  segment*& chain_;
  unsigned heap_slot_;
  std::unordered_set<segment*> apart_;
};

}  // namespace forkful::detail
