// The pools that every case in this folder runs on: a new back end joins by one more name.
//
// A case that holds on every back end is a TYPED_TEST over every_pool; a case for what only some of them promise says
// so in its name. All back ends in this process are one type here, so that what takes longest, compiling, is done once
// for them: the environment (FORKFUL_TEST_POOL) says which of them it is. CTest runs those cases once for each.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <forkful/forkful.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "backends/toy_engine.hpp"

namespace forkful_tests {

// "serial", "thread", "auto" or "toy" (toy_engine.hpp): the back end that a pool_here has.
inline std::string engine_here() {
  const char* const chosen = std::getenv("FORKFUL_TEST_POOL");
  return chosen == nullptr ? "thread" : chosen;
}

struct way_here {
  using passing = forkful::detail::present_way;
  static std::unique_ptr<forkful::detail::engine> start(const forkful::pool_options& options) {
    const std::string name = engine_here();
    if (name == "serial") return forkful::detail::serial_way::start(options);
    if (name == "thread") return forkful::detail::thread_way::start(options);
    if (name == "auto") return forkful::detail::auto_way::start(options);
    if (name == "toy") return std::make_unique<toy::engine>(options, "toy");
    throw std::invalid_argument("FORKFUL_TEST_POOL: there is no pool '" + name +
                                "'; there are serial, thread, auto and toy");
  }
};
using pool_here = forkful::basic_pool<way_here>;

using every_pool = testing::Types<pool_here, forkful::snapshot_pool, forkful::process_pool>;
using pools_of_processes = testing::Types<forkful::snapshot_pool, forkful::process_pool>;

// Whether workers are other processes, so that what they write outside shared memory is lost.
template <class Pool>
inline constexpr bool isolated = !std::is_same_v<Pool, pool_here>;
// Whether slices and arguments are sent to workers that already run.
template <class Pool>
inline constexpr bool ships = std::is_same_v<Pool, forkful::process_pool>;

// As the report calls it.
template <class Pool>
std::string way_of() {
  if constexpr (std::is_same_v<Pool, pool_here>) return engine_here();
  return ships<Pool> ? "process" : "snapshot";
}
// Whether the caller does all the work: it is the only worker, and a submitted call is over when it has begun.
template <class Pool>
bool alone() {
  return way_of<Pool>() == "serial" || way_of<Pool>() == "toy";
}
// How many chunks so many slices are counted as, if so many were asked for in each; 0: that depends on how long they take.
template <class Pool>
std::size_t chunks_of(std::size_t slices, std::size_t asked) {
  if (way_of<Pool>() == "serial") return 1;  // however often progress is looked at in between
  if (way_of<Pool>() == "auto") return 0;    // helpers take those that the caller has not run by then
  return (slices + asked - 1) / asked;
}

struct pool_names {
  template <class Pool>
  static std::string GetName(int /*index*/) {
    return std::is_same_v<Pool, pool_here> ? "here" : way_of<Pool>();
  }
};

// A pool of three: enough that slices change places, not so many that they never do on a small machine.
template <class Pool>
class on_every_pool : public testing::Test {
 protected:
  Pool pool{3U};
};

}  // namespace forkful_tests
