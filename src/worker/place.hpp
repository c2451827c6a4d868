// Where this thread is: in a worker or not, and in which. Owns two words a thread.
#pragma once

namespace forkful::detail {

// For the length of a scope (or of the process, in a worker): slices are being eaten here, by `worker`.
class worker_scope {
 public:
  explicit worker_scope(unsigned worker) noexcept;
  worker_scope(const worker_scope&) = delete;
  worker_scope& operator=(const worker_scope&) = delete;
  ~worker_scope();

 private:
  unsigned index_before_;
  bool inside_before_;
};

}  // namespace forkful::detail
