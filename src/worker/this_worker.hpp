// Where this thread is: in a worker or not, and in which. Owns two words a thread.
#pragma once

namespace forkful::detail {

// For the length of a scope (or of the process, in a worker): slices are being run here, by `worker`.
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

// Says that this process is, for good, one of `workers` that share the machine. Workers of workers share what these get.
void become_one_of(unsigned workers) noexcept;
// Between how many workers the CPUs are shared that this process may use: 1 outside of workers.
unsigned sharers() noexcept;
// True in a worker process and in what it forks, in every thread.
bool in_worker_process() noexcept;

}  // namespace forkful::detail
