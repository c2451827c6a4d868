// How long slices and results take to pass from one process to another, tried with a few in this process alone.
//
// Owns nothing.
#pragma once

#include <cstddef>
#include <forkful/detail/job.hpp>

#include "advice/workload.hpp"

namespace forkful::detail {

struct passing_times {
  passing in{};   // one slice
  passing out{};  // one result
};

// `count` neighbours at a time of `slices`, each of which takes `mean` seconds to run. Encodes some as a process_pool's
// caller would, before one is decoded; then decodes and runs them and encodes results, as workers would; then decodes
// those. So what is decoded has left the nearest caches, as if another core had written it. Takes about 10 ms; up to
// three blocks where one takes nearly as long, one where it takes longer. Throws what a slice throws.
passing_times time_passing(const job& ships, std::size_t slices, std::size_t count, double mean);

}  // namespace forkful::detail
