// The ways that race, by the names that words, tables and JSON have for them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace race {

enum class way : std::uint8_t {
  serial,    ///< the plain loop: what the others are compared with
  thread,    ///< forkful::thread_pool: nothing is copied, one crash ends all
  snapshot,  ///< forkful::snapshot_pool: forked at every call
  process,   ///< forkful::process_pool, slices copied there and back
  shared,    ///< forkful::process_pool, slices changed in place in shared memory
};

inline constexpr std::array all_ways{way::serial, way::thread, way::snapshot, way::process, way::shared};

constexpr std::string_view name_of(way which) {
  constexpr std::array<std::string_view, all_ways.size()> names{"serial", "thread", "snapshot", "process", "shared"};
  return names[static_cast<std::size_t>(which)];
}

}  // namespace race
