// A process that stands aside: it belongs to no terminal, and has nothing of its parent's open. Owns nothing.
#pragma once

namespace forkful::detail {

// In a forked process: a session (setsid) of its own, every descriptor closed but `keep` (and standard output, if asked
// for); standard streams read and write nothing.
void detach(int keep, bool keep_stdout) noexcept;

}  // namespace forkful::detail
