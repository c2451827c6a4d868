// The parent's side of one board: what it remembers of every entry in use, and the reuse of entries.
//
// Owns the records. Behind its coordinator's mutex. Invariant (docs/protocol.md, 4): entries are reused in the order of the ring,
// when every chunk up to them is off the board.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "board/board.hpp"
#include "crew/crew.hpp"
#include "memory/arena.hpp"

namespace forkful::detail {

class call;
struct chunk_in_flight;

// What a parent board may be the last to hold. A list, so that retiring one takes no memory.
struct retirable {
  retirable() noexcept = default;
  retirable(const retirable&) = delete;
  retirable& operator=(const retirable&) = delete;
  virtual ~retirable() = default;
  std::shared_ptr<retirable> next_retired;
};

struct parent_board {
  // Which chunk of which call an entry holds; workers cannot touch it.
  struct record {
    std::shared_ptr<retirable> owner;  // keeps `of` alive; null: the entry is off the board
    call* of = nullptr;
    chunk_in_flight* what = nullptr;
  };

  // What one worker may have written: nothing else is believed (docs/protocol.md, 11).
  struct memory_of_worker {
    arena* memory;
    unsigned heap_slot;
    std::span<const std::byte> copied{};  // of what it wrote, into this process's own memory
    // Valid as long as this object.
    [[nodiscard]] source_bounds bounds() noexcept;
  };

  parent_board(board& board_in_use, arena& memory_in_use, crew& workers_of_it)
      : table(board_in_use), memory(memory_in_use), workers(workers_of_it), records(ring_size) {
    urgent.reserve(ring_size);  // note_urgent() takes no memory
  }

  board& table;
  arena& memory;
  crew& workers;
  std::vector<record> records;  // entry i of the ring has record i % ring_size
  // Chunks that are claimed before those that were published earlier; some may be off the board.
  std::vector<std::uint64_t> urgent;
  std::uint32_t generation = 0;
  bool closed = false;   // nothing more is to be published: the workers were ended for good
  bool crashed = false;  // a worker has ended in the middle of a slice

  [[nodiscard]] std::uint64_t tail() const noexcept { return tail_; }
  [[nodiscard]] std::uint64_t head() const noexcept { return table.published.load(std::memory_order_relaxed); }
  [[nodiscard]] bool full() const noexcept { return head() - tail() == ring_size; }
  [[nodiscard]] record& at(std::uint64_t sequence) noexcept { return records[sequence % ring_size]; }
  [[nodiscard]] chunk& entry(std::uint64_t sequence) noexcept { return table.entry(sequence); }
  [[nodiscard]] chunk_frames& frames(std::uint64_t sequence) noexcept { return table.frames(sequence); }
  // acquire: pairs with the worker's release of `done`, so its results are visible.
  [[nodiscard]] chunk_word word(std::uint64_t sequence) noexcept {
    return chunk_word(entry(sequence).word.load(std::memory_order_acquire));
  }
  [[nodiscard]] bool done(std::uint64_t sequence) noexcept { return word(sequence).state() == chunk_state::done; }

  // Some chunk on the board is claimed by no worker. Looks at all of them: the hint `next` may be wrong.
  [[nodiscard]] bool something_ready() noexcept {
    for (std::uint64_t sequence = tail(); sequence != head(); ++sequence) {
      if (word(sequence).state() == chunk_state::ready) return true;
    }
    return false;
  }

  // Of a chunk that was just published.
  void note_urgent(std::uint64_t sequence) noexcept {
    std::erase_if(urgent, [&](std::uint64_t one) { return one < tail(); });
    urgent.push_back(sequence);
  }

  // Calls that nothing else holds any more: to be destroyed without the mutex, because user code may run then.
  std::shared_ptr<retirable> retired;

  // The sequence of the chunk that is published next.
  [[nodiscard]] std::uint64_t next() noexcept {
    constexpr std::uint64_t few = 64;
    if (tail_ == head() && head() % ring_size >= few) tail_ = begin_ring(table);
    return head();
  }

  // The entry's chunk is off the board. Frees it, and all that are free up to the next that is not, for later chunks. Workers are told
  // with the next publication: an idle one looks at that line all the time, and each store takes it away.
  void clear(std::uint64_t sequence) noexcept {
    retire(std::move(at(sequence).owner));
    entry(sequence).job = nullptr;
    // What is done stays so: nobody looks at it, and its line need not travel once more.
    if (!done(sequence)) entry(sequence).word.store(0, std::memory_order_relaxed);
    while (tail_ != head() && at(tail_).owner == nullptr) ++tail_;
  }

  void retire(std::shared_ptr<retirable> owner) noexcept;
  // Frees a chain of segments that lies in the memory of that worker. A damaged one could be a ring: nothing a worker wrote is
  // longer than the arena.
  // What its worker, if it lives, goes on looking at, is freed when that ends.
  void free_chain(segment* chain, unsigned heap_slot, bool worker_lives = false) noexcept;

 private:
  std::uint64_t tail_ = 0;  // every chunk below is done with
};

// Segments of an arena, for the parent's sinks.
segment_memory segments_of(arena& memory) noexcept;

}  // namespace forkful::detail
