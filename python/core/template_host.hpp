// forkful.init(), and what the pools made after it leave in shared memory for their workers, which come from its template.
//
// The template has only what there was at init(). So a pool's host (forkful/detail/host.hpp) for it lies in shared memory, with the
// bytes from which a worker makes the pool's Python side; all that it calls is init()'s own host, which template and workers inherit.
#pragma once

#include "python.hpp"

#include <forkful/detail/host.hpp>
#include <string_view>

namespace forkful::python {

// Makes the template, as detail::make_template. `side` is as a pool's (host.hpp), but its worker_starts gets the bytes of a shipped_host.
// Held for ever, as are the ones of processes that this one was forked from. Called with the GIL.
void make_template(PyObject* side);

// Owns the memory, in the process that made it, and outlives the pool's workers.
class shipped_host {
 public:
  // Throws arena_exhausted.
  explicit shipped_host(std::string_view data);
  shipped_host(const shipped_host&) = delete;
  shipped_host& operator=(const shipped_host&) = delete;
  ~shipped_host();

  // detail::host::in_template.
  [[nodiscard]] const detail::host* callbacks(int late_signal) noexcept;

 private:
  struct in_memory;
  in_memory* shared_;
  std::uint64_t owner_;  // in a process that inherited it, the memory is not its to free
};

}  // namespace forkful::python
