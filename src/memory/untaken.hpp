// Loose blocks that a worker gave with results which nobody took, while it goes on looking at them: they are freed when it ends.
//
// Owns the record of them, private to the process that made the arena; the blocks are the arena's. Behind the arena's mutex. This process may
// look at such a block itself, because a worker may return what it has returned before: then it stays until that is over.
#pragma once

#include <unordered_map>

namespace forkful::detail {

class untaken_blocks {
 public:
  // The results that it came with are dropped. False: nothing looks at it any more, and it is to be freed. Throws std::bad_alloc.
  bool leave(void* block, unsigned slot, bool worker_lives);
  // True: it was among them, and is no more.
  bool take(void* block) noexcept;
  // The slot's process has ended. `free` gets each that nothing looks at.
  template <class Free>
  void bury(unsigned slot, Free free) noexcept {
    for (auto one = blocks_.begin(); one != blocks_.end();) {
      state& its = one->second;
      if (its.left_by == slot) its.left_by = none, its.orphan = true;
      if (!its.orphan || its.looked_at) {
        ++one;
        continue;
      }
      free(one->first);
      one = blocks_.erase(one);
    }
  }
  // This process looks at it, once at a time. Throws std::bad_alloc.
  void look_at(void* block) { blocks_[block].looked_at = true; }
  // True: it is to be freed.
  bool look_away(void* block) noexcept;

 private:
  static constexpr unsigned none = 0;  // the slot of the process that made the arena
  struct state {
    unsigned left_by = none;
    bool orphan = false;  // left by a process that has ended
    bool looked_at = false;
  };
  std::unordered_map<void*, state> blocks_;
};

}  // namespace forkful::detail
