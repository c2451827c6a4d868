// auto_pool: decides by measuring whether a call is worth sharing. It begins as the boring loop and calls helpers when that pays.
#pragma once

#include <forkful/pool.hpp>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

struct auto_way {
  using passing = present_way;
  static std::unique_ptr<engine> start(const pool_options& options) { return start_auto(options); }
};

}  // namespace detail

/// A serial_pool and a thread_pool in one. The calling thread runs alone while it measures real slices, whose results
/// count; it calls the other workers as soon as what remains takes long enough to gain by it, and cores are free for
/// them (a callable that keeps them busy by itself, as a parallel BLAS does, is left alone). A slice that turns out to
/// be long does not hold the others up: a watchdog calls the workers meanwhile. Whether slices may crash is not
/// measured: pools of processes are chosen by their name. What thread_pool says of callables and options holds here,
/// too. Cost: 1 us a call.
using auto_pool = basic_pool<detail::auto_way>;

}  // namespace forkful
