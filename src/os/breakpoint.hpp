// Places where a test can make this very process die, stop or report, to the instruction.
//
// Owns nothing. In the library that users get every breakpoint compiles to nothing; the test build (FORKFUL_BREAKPOINTS)
// calls the hook a test installed, in the process that passes by. The hook is inherited by fork.
#pragma once

namespace forkful::detail {

enum class point : unsigned {
  claim_before,     // worker: chunk seen ready, not yet claimed
  claim_after,      // worker: chunk claimed, no slice begun
  slice_begin,      // worker: cursor stored, the block is about to run
  slice_end,        // worker: block has run, cursor still names it
  broken_off,       // a sink: what a slice left that threw is dropped, its failure is not reported
  done_before,      // worker: results attached, chunk not yet marked done
  done_after,       // worker: chunk marked done
  spin,             // worker: idle, spinning
  sleep_before,     // worker: idle, about to sleep
  alloc_before,     // heap: before the store that takes a block
  alloc_after,      // heap: block taken, not yet given to the caller
  free_before,      // heap: before the link that gives a block back
  free_linked,      // heap: block linked, head not yet stored
  span_claimed,     // heap: span claimed, not yet installed
  loose_added,      // worker: a block is on its list of loose ones
  loose_removed,    // worker: a block that is to be freed is off it again
  give_begun,       // worker: a block is about to become a piece of the results
  give_linked,      // worker: it is one, and on the list still
  give_removed,     // worker: it is off the list
  fork_child,       // new worker: first instruction after fork
  lifeline_armed,   // new worker: lifeline armed, loop not begun
  crash_described,  // caller: a crash is about to be named
  relieved,         // parent: slices taken from a worker that had not begun them, not yet published
  replace_before,   // parent: death judged, chunk not yet published again
  undo_saved,       // worker: block copied for undo, cursor does not name it yet
  end_looked_for,   // parent: nothing came of a wait, a worker's descriptor is about to be looked at
  kill_before,      // parent: a worker is to be killed (future::cancel), not killed yet
  template_cloned,  // template: worker cloned, not yet answered
  watched,          // caller of an auto_pool: watched from now on
  looked,           // its watchdog: has looked
  count
};

#ifndef FORKFUL_BREAKPOINTS
#error "run CMake again: sources with breakpoints are compiled twice, with them and without, and the others once"
#endif

constexpr bool has_breakpoints = FORKFUL_BREAKPOINTS;

#if FORKFUL_BREAKPOINTS
using breakpoint_hook = void (*)(point);
inline breakpoint_hook breakpoint_installed = nullptr;
inline void breakpoint(point where) {
  if (breakpoint_installed != nullptr) breakpoint_installed(where);
}
#else
inline void breakpoint(point /*where*/) {}
#endif

}  // namespace forkful::detail
