// A process that stands aside: it belongs to nobody's terminal, and keeps nothing of its parent's open. Owns nothing.
#pragma once

namespace forkful::detail {

// In a forked process: a coordinator of its own, every descriptor closed but `keep` (and standard output, if asked for); standard
// streams read and write nothing.
void detach(int keep, bool keep_stdout) noexcept;

}  // namespace forkful::detail
