// What engines do in a process that inherited them by fork (docs/protocol.md, 12): refuse, and leave alone what may be locked.
#pragma once

#include <cstdint>
#include <memory>

namespace forkful::detail {

// Throws wrong_process unless this is the process that made the pool.
void check_process(std::uint64_t made_by);
// Keeps what a forked child inherited and must not destroy.
void never_destroy(std::shared_ptr<void> object);

}  // namespace forkful::detail
