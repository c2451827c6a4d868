#include "backends/elsewhere/parent_board.hpp"

#include <cstdint>
#include <new>
#include <utility>

namespace forkful::detail {

segment_memory segments_of(arena& memory) noexcept {
  return {&memory,
          [](void* self, std::size_t capacity) {
            void* const room = static_cast<arena*>(self)->allocate(sizeof(segment) + capacity, most_alignment);
            return make_segment(room, capacity);
          },
          [](void* self, segment* piece) noexcept { static_cast<arena*>(self)->deallocate(piece); }};
}

void parent_board::free_chain(segment* chain, unsigned heap_slot) noexcept {
  for (std::size_t freed = 0; chain != nullptr && freed < memory.size();) {
    if (!memory.owned_by(heap_slot, chain, sizeof(segment))) return;
    segment* const next = chain->next;
    freed += memory.block_size(chain);
    free_piece(chain);
    chain = next;
  }
}

void parent_board::free_piece(segment* piece) noexcept {
  const bool loose = piece->capacity == 0 && memory.block_size(piece) >= sizeof(loose_block);
  if (!loose || !reinterpret_cast<loose_block*>(piece)->held) memory.deallocate(piece);
}

source_bounds parent_board::memory_of_worker::bounds() noexcept {
  return {SIZE_MAX, this, [](void* self, const void* address, std::size_t bytes) {
            const auto& worker = *static_cast<const memory_of_worker*>(self);
            const std::size_t offset = static_cast<const std::byte*>(address) - worker.copied.data();
            if (offset < worker.copied.size() && bytes <= worker.copied.size() - offset) return true;
            return worker.memory->owned_by(worker.heap_slot, address, bytes);
          }};
}

void parent_board::retire(std::shared_ptr<retirable> owner) noexcept {
  if (owner == nullptr || owner.use_count() > 1) return;
  owner->next_retired = std::move(retired);
  retired = std::move(owner);
}

}  // namespace forkful::detail
