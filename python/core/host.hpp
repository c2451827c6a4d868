// What Python does whenever forkful forks for a pool (forkful/detail/host.hpp), and in the zygote and the workers it gets.
//
// Owns nothing but a reference to the pool's Python side: an object with before_fork(), which returns how many threads run,
// zygote_starts(threads), worker_starts(shipped) and worker_leaves(). Invariants: a fork is made with the GIL and the
// import lock held by the thread that forks; a worker holds the GIL from its first instruction to the end of its start, and then only
// while it runs something.
#pragma once

#include "python.hpp"

#include <csignal>
#include <forkful/detail/host.hpp>

#include "owned.hpp"

namespace forkful::python {

class pool_host {
 public:
  // `side` is borrowed, and outlives the workers. `late_signal` and `in_template`: see detail::host.
  pool_host(PyObject* side, int late_signal, const detail::host* in_template = nullptr) noexcept;
  pool_host(const pool_host&) = delete;
  pool_host& operator=(const pool_host&) = delete;
  ~pool_host() = default;

  [[nodiscard]] const detail::host* callbacks() const noexcept { return &callbacks_; }

  // What detail::host says of them.
  void before_fork() noexcept;
  void after_fork(bool child) noexcept;
  // `data`: None, or what a pool shipped (template_host.hpp). Null: a Python error is set.
  void worker_starts(owned data);
  void worker_leaves();

 private:
  void prepare_fork();

  PyObject* side_;
  detail::host callbacks_;
  bool taken_ = false;   // the GIL, for a fork
  sigset_t mask_{};      // of the thread that forks
  bool forked_ = false;  // this is a zygote, or comes from one
  long threads_ = 1;     // that ran when the zygote was forked
};

}  // namespace forkful::python
