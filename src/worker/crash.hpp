// What a worker still notes when it crashes: signal, kind of access, and where it was, as raw addresses (docs/protocol.md, 17).
// The parent makes names of them. Owns where the note goes, for this process.
#pragma once

#include "worker/record.hpp"

namespace forkful::detail {

// Walks the stack once, so that what the walk needs is loaded before a handler needs it. In the parent, before it forks.
void prepare_for_crashes() noexcept;

// In the worker: from now on a crash is noted in the record.
void note_crashes(worker_record&) noexcept;

// Frames from the caller's on outwards are forkful's own and of no use to the user.
void end_frames_here(const void* frame_address) noexcept;

}  // namespace forkful::detail
