// The template: a process with one thread, made from this one, from which workers are cloned (the forkserver). There is that of the
// program, which forkful::init makes while the program is small, and one for each pool of start_method::zygote, made with the pool.
//
// Cheap however large this process has grown, and safe however many threads it has: the template has one thread and what there
// was when it was made. Owns the template process and the socket over which it is asked. Invariants (docs/protocol.md, 18):
//   * Only the process that made a template uses it.
//   * Workers are this process's children, not the template's: the template may die and they go on.
//   * A worker is never lost: its pid is in shared memory before it runs its first instruction, whatever dies then.
//   * The template ends when this process ends.
#pragma once

#include <sys/types.h>

#include <forkful/detail/host.hpp>
#include <memory>
#include <string>

#include "names/modules.hpp"
#include "worker/loop.hpp"

namespace forkful::detail {

class worker_template {
 public:
  // Clones this process, which has one thread, or others only that libraries had started when the program was loaded. Does nothing the
  // second time, and in workers. What the machine refuses is no error: trouble() says it, and workers are forked.
  // Throws start_failed if more threads run. `around` may be null; else it lives as long as the program.
  static void make(const host* around);
  // This process's; null if it did not call init.
  static worker_template* here() noexcept;
  // One of a pool's own: forks this process as it is now, with what `around` does, if it is not null. Ends with the last owner. What
  // the machine refuses is no error: trouble() says it, and workers are forked. Throws bad_alloc.
  static std::shared_ptr<worker_template> of_pool(const host* around);

  // Clones a worker, which gets copies of the descriptors in `begin`. Returns its pid; -1 if there is none, trouble() says why.
  // Thread-safe. Never waits long for a template that does not answer: it is ended.
  pid_t start(const worker_start& begin) noexcept;
  // Whether it is there to be asked. If it has died since, trouble() says so from now on. Thread-safe. Throws bad_alloc.
  bool lives();
  // Its end begins: what owns it waits for that. Thread-safe.
  void kill() noexcept;
  // The code its workers have.
  [[nodiscard]] const modules& code() const noexcept;
  // What users should know of how it was made, as a sentence; empty: nothing.
  [[nodiscard]] std::string remark() const;
  // Why workers are forked instead, as the end of a sentence; empty while all is well.
  [[nodiscard]] std::string trouble() const;

 private:
  struct state;
  explicit worker_template(state& inside) noexcept : state_(inside) {}
  state& state_;
};

}  // namespace forkful::detail
