// A process with all it has started, seen from outside through /proc: how much memory they take together, and how often their
// threads ran. The processes looked at need not cooperate, so a Python pool is looked at as ours is.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace forkful_bench {

/// `root` first, then its children and theirs. The processes of one moment: look again when more may have come.
std::vector<pid_t> process_tree(pid_t root);

/// What the kernel has counted for threads since they began.
struct scheduling {
  std::uint64_t switches = 0;  ///< voluntary and not
  std::uint64_t run_ns = 0;    ///< time on a CPU
};
/// Of all threads, but for the first thread of the first process: that is the caller, which may do what it likes.
scheduling scheduling_of(const std::vector<pid_t>& tree);

/// Bytes of memory. Proportional: of a page that n processes share, each counts 1/n, so that a sum over processes counts it once.
/// Only what programs make themselves (private and shared memory), not pages of files: their share would change
/// whenever another program on the machine begins or ends to use the same library.
struct memory {
  double proportional = 0;
  double unshared = 0;  ///< written pages that one process has for itself
};
memory memory_of(const std::vector<pid_t>& tree);

/// Looks at the tree of `root` again and again while `work` runs, and once after it, and returns the most that was seen. The tree is stopped for each
/// look, so times mean nothing meanwhile. A process that comes and goes between two looks (5 ms) is missed.
memory most_memory_while(pid_t root, const std::function<void()>& work);

}  // namespace forkful_bench
