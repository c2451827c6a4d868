// How a worker ended, as far as it matters to the slice it held. Owns nothing shared.
#pragma once

#include <chrono>
#include <cstddef>

#include <forkful/errors.hpp>

#include "os/process.hpp"

namespace forkful::detail {

struct death : ending {
  bool late = false;  // killed because its slice had had its time

  // Tells it as the failure of slices [first, last), on their last attempt.
  [[nodiscard]] slice_failure told(std::size_t first, std::size_t last, unsigned worker, unsigned attempt,
                                   unsigned attempts, std::chrono::nanoseconds timeout, bool in_place) const;
};

}  // namespace forkful::detail
