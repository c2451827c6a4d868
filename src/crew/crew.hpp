// The workers of one pool: starting them, noticing that one has ended, replacing it, ending them all.
//
// Owns a pidfd, a lifeline and a heap slot a worker, and what the parent sleeps on. Judges nobody by time: a worker has ended
// when its pidfd says so (PROTOCOL 2).
#pragma once

#include <vector>

#include "board/board.hpp"
#include "crew/death.hpp"
#include "memory/arena.hpp"
#include "os/lifeline.hpp"
#include "os/process.hpp"
#include "os/wait.hpp"
#include "worker/record.hpp"

namespace forkful::detail {

class crew {
 public:
  // Takes heap slots for the board's workers; starts none. Throws start_failed.
  crew(board& table, arena& memory);
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;
  // Kills whoever still runs and reaps. In a process that did not make the crew, only lets go.
  ~crew();

  // Forks every worker that is not running. Throws start_failed when not a single one runs afterwards.
  void fill();
  // Sleeps until rung, until workers ended, or for so long (negative: for ever; 0 only looks). Returns who ended.
  const std::vector<unsigned>& wait(std::int64_t nanoseconds);
  // Takes the status of a worker that wait() returned, and lets go of the process. Its chunk is the caller's to settle.
  death bury(unsigned worker);
  // Kills a worker that is late with its slice, if it is still that incarnation. It is buried once it has ended.
  void end_late(unsigned worker, unsigned incarnation) noexcept;
  // Ends all workers now and reaps them. They hold no chunk, or nobody wants it any more.
  void dismiss() noexcept;

  [[nodiscard]] unsigned incarnation(unsigned worker) const noexcept { return members_[worker].incarnation; }
  [[nodiscard]] unsigned heap_slot(unsigned worker) const noexcept { return members_[worker].heap_slot; }
  [[nodiscard]] bool running(unsigned worker) const noexcept { return members_[worker].process.valid(); }
  [[nodiscard]] unsigned running_count() const noexcept;

 private:
  struct member {
    fd process;
    lifeline line;
    unsigned heap_slot = 0;
    unsigned incarnation = 0;
    bool late = false;
  };

  void start(unsigned worker);

  board& table_;
  arena& arena_;
  waiter waiter_;
  worker_record* records_ = nullptr;  // in the arena, one a worker
  std::vector<member> members_;
  std::vector<unsigned> ended_;
  std::uint64_t made_by_;
};

}  // namespace forkful::detail
