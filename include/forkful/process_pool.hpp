// process_pool: workers that stay. Slices are copied, or shared; callables are shipped, so they carry no captures.
#pragma once

#include <forkful/pool.hpp>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

struct process_way {
  using passing = process_way;
  static constexpr bool ships = true;     // callable and slices are sent to workers that already run
  static constexpr bool isolated = true;  // results have to travel back
  static std::unique_ptr<engine> start(const pool_options& options) { return start_processes(options); }
};

}  // namespace detail

using process_pool = basic_pool<detail::process_way>;

}  // namespace forkful
