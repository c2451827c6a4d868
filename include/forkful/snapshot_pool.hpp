// snapshot_pool: workers forked anew for each call, so that any closure sees the caller's memory as it is then. What
// they write there is lost.
#pragma once

#include <forkful/pool.hpp>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

struct snapshot_way {
  using passing = snapshot_way;
  static constexpr bool ships = false;    // callable and slices are sent to workers that already run
  static constexpr bool isolated = true;  // results have to travel back
  static std::unique_ptr<engine> start(const pool_options& options) { return start_snapshot(options); }
};

}  // namespace detail

using snapshot_pool = basic_pool<detail::snapshot_way>;

}  // namespace forkful
