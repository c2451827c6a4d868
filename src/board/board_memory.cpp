#include "board/board_memory.hpp"

#include <memory>

#include "os/cpu.hpp"

namespace forkful::detail {

board_memory::board_memory(arena& memory, unsigned workers) : arena_(memory) {
  table_ = new (arena_.allocate(sizeof(board), alignof(board))) board{};
  try {
    table_->slots = static_cast<worker_slot*>(arena_.allocate(sizeof(worker_slot) * workers, alignof(worker_slot)));
    table_->ring = static_cast<chunk*>(arena_.allocate(sizeof(chunk) * ring_size, alignof(chunk)));
    table_->small_frames =
        static_cast<chunk_frames*>(arena_.allocate(sizeof(chunk_frames) * ring_size, alignof(chunk_frames)));
    table_->notes = static_cast<chunk_note*>(arena_.allocate(sizeof(chunk_note) * ring_size, alignof(chunk_note)));
  } catch (...) {
    arena_.deallocate(table_->small_frames);
    arena_.deallocate(table_->ring);
    arena_.deallocate(table_->slots);
    arena_.deallocate(table_);
    throw;
  }
  std::uninitialized_value_construct_n(table_->slots, workers);
  table_->workers = workers;
  table_->max_spinners = usable_cpus() - 1;
}

board_memory::~board_memory() {
  for (unsigned worker = 0; worker < table_->workers; ++worker) arena_.deallocate(table_->slots[worker].undo.load());
  arena_.deallocate(table_->notes);
  arena_.deallocate(table_->small_frames);
  arena_.deallocate(table_->ring);
  arena_.deallocate(table_->slots);
  arena_.deallocate(table_);
}

}  // namespace forkful::detail
