// Waiting until something can be read. Owns nothing.
#pragma once

namespace forkful::detail {

enum class readiness {
  ready,    // it can be read, or its other end is closed
  not_yet,  // the time is over
  refused   // it cannot be waited for: the number is closed, or there is no memory
};

// Waits at most `milliseconds` (negative: for ever; 0: only looks), in time also when signals interrupt it each millisecond, as
// profilers do.
readiness wait_readable(int number, int milliseconds) noexcept;

}  // namespace forkful::detail
