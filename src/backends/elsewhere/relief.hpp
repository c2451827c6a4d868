// Takes slices from workers that hold them and have not begun them, for workers that have nothing to do, and from chunks that turn out
// long (docs/protocol.md, 20).
//
// Owns what it has seen of each worker. Behind the coordinator's mutex.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/elsewhere/parent_board.hpp"

namespace forkful::detail {

class relief {
 public:
  explicit relief(unsigned workers) : held_(workers) {}

  // Publishes what can be taken now, as a chunk of its own. Returns when to look again, CLOCK_MONOTONIC nanoseconds; 0: at once, for
  // something was published; for_ever: there is nothing to take. Cost: where a worker is idle, or the time has come, a look at
  // all entries in use. Where there is no memory for it, nothing is taken: the workers that hold the slices run them.
  std::uint64_t look(parent_board& where) noexcept;

 private:
  // A chunk that a worker holds, and since when: when that was seen first, or some of it was last taken.
  struct held_chunk {
    std::uint32_t generation = 0;  // 0: none
    std::uint64_t since = 0;
  };

  static bool relieve(const parent_board::record& mine, std::uint64_t keeps, bool urgent) noexcept;

  std::vector<held_chunk> held_;    // by worker
  std::uint64_t next_look_ns_ = 0;  // while all workers run
};

}  // namespace forkful::detail
