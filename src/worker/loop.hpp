// What a worker does: claim a chunk, run it block by block, hand it back, sleep when there is none.
#pragma once

#include "board/board.hpp"
#include "memory/arena.hpp"
#include "os/topology.hpp"
#include "os/wait.hpp"
#include "worker/record.hpp"
#include "worker/settings.hpp"

namespace forkful::detail {

// What the parent prepared for a new worker. Plain data, which the fork inherits or the template is sent: a pointer in it leads
// into the arena or to what every process of this program has at that address.
struct worker_start {
  board* table = nullptr;
  arena* memory = nullptr;
  unsigned heap_slot = 0;
  unsigned worker = 0;
  std::uint64_t incarnation = 0;  // as wide as it is so that no byte lies between members: it is sent to the template
  int line = -1;                  // its end of the lifeline
  bell parent;
  worker_record* record = nullptr;
  worker_settings settings;
  cpu_set_t cpus{};  // to stay on, if it is to be pinned
};

// Until the board closes, or this worker has run as much as it may. It holds nothing then.
void work(const worker_start&, memory_budget&);

// Runs in the forked child and never returns: works, and leaves by _exit.
[[noreturn]] void run_worker(const worker_start&);

// The exit status of a worker that could not report a failure of its slice for want of shared memory.
constexpr int status_cannot_report = 70;
// Of a worker whose on_worker_start threw; its record says what.
constexpr int status_cannot_start = 71;

}  // namespace forkful::detail
