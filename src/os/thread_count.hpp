// How many threads this process has.
#pragma once

namespace forkful::detail {

// 0 if /proc does not say and there may be several. One system call.
unsigned thread_count() noexcept;

}  // namespace forkful::detail
