#include "memory/untaken.hpp"

namespace forkful::detail {

bool untaken_blocks::leave(void* block, unsigned slot, bool worker_lives) {
  if (!worker_lives) {
    const auto found = blocks_.find(block);
    if (found == blocks_.end()) return false;
    found->second.orphan = true;
  } else {
    blocks_[block].left_by = slot;
  }
  return true;
}

bool untaken_blocks::take(void* block) noexcept {
  const auto found = blocks_.find(block);
  if (found == blocks_.end() || (found->second.left_by == none && !found->second.orphan)) return false;
  blocks_.erase(found);
  return true;
}

bool untaken_blocks::look_away(void* block) noexcept {
  const auto found = blocks_.find(block);
  if (found == blocks_.end()) return false;
  found->second.looked_at = false;
  const bool orphan = found->second.orphan;
  if (orphan || found->second.left_by == none) blocks_.erase(found);
  return orphan;
}

}  // namespace forkful::detail
