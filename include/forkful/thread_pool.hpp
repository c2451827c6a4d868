// thread_pool: workers are threads of this process (oneTBB's). They share everything, nothing is copied, any
// callable will do - and a slice that crashes takes the whole program with it.
#pragma once

#include <forkful/pool.hpp>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

struct thread_way {
  using passing = present_way;
  static std::unique_ptr<engine> start(const pool_options& options) { return start_threads(options); }
};

}  // namespace detail

/// Callables, slices and arguments are used by several threads at once: they must bear that. The calling thread runs
/// slices too, as one of the workers, unless it is to report progress. Of pool_options `workers`, `on_worker_start` and
/// `on_worker_exit` count, of call_options all but `timeout` and `attempts`: a thread cannot be ended. A cancelled call
/// lets slices that have begun end.
using thread_pool = basic_pool<detail::thread_way>;

}  // namespace forkful
