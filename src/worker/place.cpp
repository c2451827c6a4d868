#include "worker/place.hpp"

#include <forkful/pool.hpp>

namespace forkful {

namespace {
thread_local unsigned index_here = 0;
thread_local bool inside = false;
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

}  // namespace detail

}  // namespace forkful
