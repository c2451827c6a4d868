// serial_pool: the boring loop in order, in the caller's own process. The reference for all others.
#pragma once

#include <forkful/pool.hpp>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

struct serial_way {
  using passing = present_way;
  static std::unique_ptr<engine> start(const pool_options& options) { return start_serial(options); }
};

}  // namespace detail

using serial_pool = basic_pool<detail::serial_way>;

}  // namespace forkful
