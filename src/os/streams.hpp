// Text that the program has written and that its streams still hold back: the process that forks sees to it that it is written once
// (docs/protocol.md, 17).
//
// Owns the list of C++ streams that the program has asked to be flushed (forkful/flushed_stream.hpp); the C library knows its own.
#pragma once

namespace forkful::detail {

// Writes out what all open C streams, cout, clog, their wide forms and the registered streams hold back, but for C streams that another thread has
// locked: it may sit in a read for ever. Called before a fork, before a chunk is reported done and before leaving. Cost: 10 ns while
// nothing is held back.
void flush_output() noexcept;

// In a new worker: what C streams still hold back was written by other threads of the caller, which write it out themselves. (A
// C++ stream whose own code started this worker, while it was being flushed, is not flushed here.)
void forget_inherited_output() noexcept;

}  // namespace forkful::detail
