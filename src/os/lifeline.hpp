// The lifeline: a worker ends when its parent has ended, busy or not, whatever ended the parent (PROTOCOL 13).
//
// One socket pair a worker. The parent holds one end and never writes; when its last copy is closed - by exit, crash or
// SIGKILL - the kernel sends the worker SIGKILL. So no other process may hold a copy of the parent's end: they are closed on
// exec, and one pthread_atfork handler closes all of them in every forked child, workers and user's forks alike.
// (PR_SET_PDEATHSIG would follow the forking thread, not the process.)
#pragma once

#include "os/fd.hpp"

namespace forkful::detail {

class lifeline {
 public:
  lifeline() noexcept = default;
  // Makes the pair; the parent's end is known to the fork handler from then on. Throws start_failed.
  static lifeline make();
  lifeline(lifeline&& other) noexcept;
  lifeline& operator=(lifeline&& other) noexcept;
  ~lifeline();

  // In the worker: ask to be killed when the parent's end closes; leave now if it is closed already.
  void arm() noexcept;
  // In the parent, after the fork: the worker's end is the worker's.
  void forget_worker_end() noexcept { worker_end_.reset(); }
  // In a forked child that is not the worker: the handler has closed the parent's end, this number is not ours.
  void disown() noexcept { parent_end_ = -1; }

 private:
  void cut() noexcept;

  int parent_end_ = -1;
  fd worker_end_;
};

}  // namespace forkful::detail
