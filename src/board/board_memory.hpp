// A board in shared memory, with its workers' slots behind it.
//
// Owns both blocks. Invariant: they keep their address for as long as this lives, in every process that inherits the arena.
#pragma once

#include "board/board.hpp"
#include "memory/arena.hpp"

namespace forkful::detail {

class board_memory {
 public:
  // Throws arena_exhausted.
  board_memory(arena& memory, unsigned workers);
  board_memory(const board_memory&) = delete;
  board_memory& operator=(const board_memory&) = delete;
  // In a process that did not make the arena it does nothing.
  ~board_memory();
  board& operator*() noexcept { return *table_; }
  board* operator->() noexcept { return table_; }

 private:
  arena& arena_;
  board* table_ = nullptr;
};

}  // namespace forkful::detail
