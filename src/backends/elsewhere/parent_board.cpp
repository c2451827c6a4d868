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

void parent_board::free_chain(segment* chain, unsigned heap_slot, bool worker_lives) noexcept {
  for (std::size_t freed = 0; chain != nullptr && freed < memory.size();) {
    if (!memory.owned_by(heap_slot, chain, sizeof(segment))) return;
    segment* const next = chain->next;
    const std::size_t size = memory.block_size(chain);
    freed += size;
    auto* const loose =
        chain->capacity == 0 && size >= sizeof(loose_block) ? reinterpret_cast<loose_block*>(chain) : nullptr;
    if (loose != nullptr && loose->held) {
      memory.leave_untaken(*loose, heap_slot, worker_lives);
    } else {
      memory.deallocate(chain);
    }
    chain = next;
  }
}

source_bounds parent_board::memory_of_worker::bounds() noexcept {
  return {SIZE_MAX, this, [](void* self, const void* address, std::size_t bytes) {
            const auto& worker = *static_cast<const memory_of_worker*>(self);
            const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(address) - worker.copied.data());
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
