// The pools that every case in this folder runs on: a new back end joins by one more name in the list.
//
// A case that holds on every back end is a TYPED_TEST over every_pool; what only some of them promise says so in its name.
#pragma once

#include <gtest/gtest.h>

#include <forkful/forkful.hpp>
#include <string>
#include <type_traits>

namespace forkful_tests {

using every_pool = testing::Types<forkful::serial_pool, forkful::thread_pool, forkful::auto_pool,
                                  forkful::snapshot_pool, forkful::process_pool>;
using pools_of_processes = testing::Types<forkful::snapshot_pool, forkful::process_pool>;

// Whether workers are other processes, so that what they write outside shared memory is lost.
template <class Pool>
inline constexpr bool isolated =
    std::is_same_v<Pool, forkful::snapshot_pool> || std::is_same_v<Pool, forkful::process_pool>;
// Whether the caller does all the work.
template <class Pool>
inline constexpr bool alone = std::is_same_v<Pool, forkful::serial_pool>;
// Whether slices and arguments are sent to workers that already run.
template <class Pool>
inline constexpr bool ships = std::is_same_v<Pool, forkful::process_pool>;

struct pool_names {
  template <class Pool>
  static std::string GetName(int /*index*/) {
    if (std::is_same_v<Pool, forkful::serial_pool>) return "serial";
    if (std::is_same_v<Pool, forkful::thread_pool>) return "thread";
    if (std::is_same_v<Pool, forkful::auto_pool>) return "auto";
    if (std::is_same_v<Pool, forkful::snapshot_pool>) return "snapshot";
    return "process";
  }
};

// A pool of three: enough that slices change places, not so many that they never do on a small machine.
template <class Pool>
class on_every_pool : public testing::Test {
 protected:
  Pool pool{3U};
};

}  // namespace forkful_tests
