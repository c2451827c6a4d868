// The pieces of a chunk's results, for a collector that takes some of them over (job.hpp: finished_slices::keep).
//
// Owns them from the moment in which the first is taken; then they are told apart, and what is left is freed at the end. Before, they stay the
// chunk's. What a worker wrote is believed as far as it can be (docs/protocol.md, 11).
#pragma once

#include <cstddef>
#include <unordered_set>
#include <utility>

#include "backends/elsewhere/parent_board.hpp"

namespace forkful::detail {

class result_pieces {
 public:
  result_pieces(parent_board& where, segment*& chain, unsigned heap_slot) noexcept
      : board_(where), chain_(chain), heap_slot_(heap_slot) {}
  result_pieces(const result_pieces&) = delete;
  result_pieces& operator=(const result_pieces&) = delete;
  ~result_pieces() {
    for (segment* const one : apart_) board_.free_piece(one);
  }

  // job.hpp: finished_slices::keep.
  static void* keep(void* keeper, const void* data) {
    auto& mine = *static_cast<result_pieces*>(keeper);
    if (mine.chain_ != nullptr) mine.take_apart();
    auto* const piece = reinterpret_cast<segment*>(mine.board_.memory.block_around(data).data());
    return piece != nullptr && mine.apart_.erase(piece) != 0 ? piece : nullptr;
  }

 private:
  // As free_chain(): what a worker wrote may be damaged.
  void take_apart() {
    std::unordered_set<segment*> all;
    for (segment* piece = chain_; piece != nullptr; piece = piece->next) {
      const bool sound = board_.memory.owned_by(heap_slot_, piece, sizeof(segment)) &&
                         board_.memory.block_around(piece).data() == reinterpret_cast<std::byte*>(piece);
      if (!sound || !all.insert(piece).second) break;
    }
    apart_ = std::move(all);
    chain_ = nullptr;
  }

  parent_board& board_;
  segment*& chain_;
  unsigned heap_slot_;
  std::unordered_set<segment*> apart_;
};

}  // namespace forkful::detail
