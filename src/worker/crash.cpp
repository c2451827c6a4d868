#include "worker/crash.hpp"

#include <unwind.h>

#include "os/identity.hpp"

namespace forkful::detail {

namespace {

// One worker a process, and its crash may come in any thread: plain statics, written before slices run.
worker_record* record = nullptr;
std::uint64_t owner = 0;
std::uintptr_t outermost = ~std::uintptr_t{0};

struct walk {
  bool crashed = false;  // past the handler's own frames
  std::uint32_t count = 0;
};

_Unwind_Reason_Code note_frame(_Unwind_Context* context, void* argument) {
  auto& so_far = *static_cast<walk*>(argument);
  // Set for the frame that a signal interrupted: there the counter names the instruction itself, elsewhere the one behind
  // the call.
  int interrupted = 0;
  const std::uintptr_t counter = _Unwind_GetIPInfo(context, &interrupted);
  so_far.crashed = so_far.crashed || interrupted != 0;
  if (!so_far.crashed) return _URC_NO_REASON;
  if (_Unwind_GetCFA(context) > outermost || so_far.count == most_frames) return _URC_NORMAL_STOP;
  record->where[so_far.count] = interrupted != 0 || counter == 0 ? counter : counter - 1;
  record->frames.store(++so_far.count, std::memory_order_relaxed);
  return _URC_NO_REASON;
}

void note_crash(const fault& seen) {
  // A process that user code forked has these handlers too, and is not the worker.
  if (record == nullptr || this_process() != owner) return;
  record->touched.store(seen.touched, std::memory_order_relaxed);
  record->signal.store(seen.signal, std::memory_order_relaxed);
  walk so_far;
  _Unwind_Backtrace(note_frame, &so_far);
}

}  // namespace

void prepare_for_crashes() noexcept {
  static bool walked = false;
  if (walked) return;
  walked = true;
  _Unwind_Backtrace([](_Unwind_Context*, void*) { return _URC_NO_REASON; }, nullptr);
}

void note_crashes(worker_record& here) noexcept {
  prepare_for_crashes();
  record = &here;
  owner = this_process();
  catch_faults(note_crash);
}

void end_frames_here(const void* frame_address) noexcept {
  outermost = reinterpret_cast<std::uintptr_t>(frame_address);
}

}  // namespace forkful::detail
