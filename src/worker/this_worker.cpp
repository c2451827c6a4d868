#include "worker/this_worker.hpp"

#include <forkful/pool.hpp>

namespace forkful {

namespace {
thread_local unsigned index_here = 0;
thread_local bool inside = false;

// Written once, before a worker runs any user code.
unsigned shared_by = 1;
bool is_worker = false;
}  // namespace

unsigned worker_index() noexcept { return index_here; }
bool in_worker() noexcept { return inside; }

namespace detail {

worker_scope::worker_scope(unsigned worker) noexcept : index_before_(index_here), inside_before_(inside) {
  index_here = worker;
  inside = true;
}

worker_scope::~worker_scope() {
  index_here = index_before_;
  inside = inside_before_;
}

void become_one_of(unsigned workers) noexcept {
  shared_by *= workers;
  is_worker = true;
}

unsigned sharers() noexcept { return shared_by; }
bool in_worker_process() noexcept { return is_worker; }

}  // namespace detail

}  // namespace forkful
