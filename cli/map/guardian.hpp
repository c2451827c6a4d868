// The process groups of the running jobs, and the guardian: a process that ends them should forkful be killed with -9.
//
// Owns a table in memory that both share, and a pipe whose end the guardian sees when forkful is gone, however that came. Invariant: a
// group is in the table only while its leader's status is not taken, so that no signal reaches a stranger.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <span>

#include "os/fd.hpp"

namespace mapping {

/// Thread-safe.
class guardian {
 public:
  /// Forks it; to be called while this process has one thread. Throws refusal where no process or memory is to be had.
  explicit guardian(std::size_t slots);
  guardian(const guardian&) = delete;
  guardian& operator=(const guardian&) = delete;
  /// Waits for it to end.
  ~guardian();

  void enter(unsigned slot, pid_t group);
  /// To be called before the leader's status is taken.
  void leave(unsigned slot);
  /// To all groups.
  void signal(int number);
  /// Whether no job runs.
  [[nodiscard]] bool empty();

 private:
  std::span<std::atomic<pid_t>> groups_;
  std::mutex mutex_;
  forkful::detail::fd alive_;  // closed by our end
  pid_t process_ = -1;
};

}  // namespace mapping
