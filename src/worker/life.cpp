// A worker's life around its work: what it sets up before its first chunk, and what it does before it leaves.
#include <string>

#include "errors/exceptions.hpp"
#include "os/breakpoint.hpp"
#include "os/identity.hpp"
#include "os/lifeline.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "os/streams.hpp"
#include "worker/crash.hpp"
#include "worker/inner_threads.hpp"
#include "worker/loop.hpp"
#include "worker/this_worker.hpp"

namespace forkful::detail {

namespace {

template <class Hook, class... Self>
void run_hook(Hook hook, Self... self) {
  end_frames_here(__builtin_frame_address(0));
  if (hook == nullptr) return;
  const std::uint64_t me = this_process();
  hook(self...);
  if (this_process() != me) leave(0);  // user code forked, and came back here in the child
}

// Leaves, and says why.
[[noreturn]] void give_up(const worker_start& start, const std::string& why) noexcept {
  why.copy(start.record->trouble.data(), start.record->trouble.size() - 1);
  flush_output();
  leave(status_cannot_start);
}

void begin(const worker_start& start, memory_budget& budget) noexcept {
  if (start.settings.pinned && !pin_to(start.cpus)) {
    give_up(start, "the system refused what pool_options::pin needs (sched_setaffinity)");
  }
  limit_inner_threads(start.settings.inner_threads, start.settings.alone);
  try {
    run_hook(start.settings.on_start);
  } catch (...) {
    give_up(start, "on_worker_start threw " + thrown_text(capture_exception(0, start.worker, 1)));
  }
  try {
    if (const host* const around = start.settings.around) run_hook(around->worker_starts, around->self);
  } catch (...) {
    give_up(start, thrown_text(capture_exception(0, start.worker, 1)));
  }
  if (start.settings.memory != 0) {
    if (!budget.begin(start.settings.memory)) {
      give_up(start, "the system refused what worker_memory_limit needs (/proc/self/status, setrlimit)");
    }
    start.memory->charge(budget);
  }
  start.record->stage.store(worker_stage::working, std::memory_order_relaxed);
}

// release: the parent that sees it leave sees its chunks done.
void end(const worker_start& start) noexcept {
  start.record->stage.store(worker_stage::leaving, std::memory_order_release);
  try {
    run_hook(start.settings.on_exit);
    if (const host* const around = start.settings.around) run_hook(around->worker_leaves, around->self);
  } catch (...) {
    // There is no call left to report it to.
  }
  flush_output();
}

}  // namespace

void run_worker(const worker_start& start) {
  breakpoint(point::fork_child);
  lifeline::arm(start.line);
  forget_inherited_output();
  reset_signals();
  note_crashes(*start.record);
  breakpoint(point::lifeline_armed);
  // Nothing below may unwind into the parent's stack frames, which this process inherited.
  try {
    start.memory->become_worker(start.heap_slot);
    become_one_of(start.table->workers);
    const worker_scope here(start.worker);
    memory_budget budget;
    begin(start, budget);
    work(start, budget);
    end(start);
  } catch (...) {
    leave(status_cannot_report);
  }
  leave(0);
}

}  // namespace forkful::detail
