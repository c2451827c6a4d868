// How a worker ended, as far as it matters to the slice it held. Owns nothing shared.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <forkful/errors.hpp>

#include "os/process.hpp"
#include "worker/record.hpp"

namespace forkful::detail {

struct death : ending {
  bool late = false;  // killed because its slice had had its time

  access touched = access::unknown;
  std::vector<std::uintptr_t> where;  // program counters at the crash, innermost first

  // Adds what the worker noted when it crashed, if it did.
  void crashed(const worker_record& left);

  // Tells it as the failure of slices [first, last), on their last attempt.
  [[nodiscard]] slice_failure told(std::size_t first, std::size_t last, unsigned worker, unsigned attempt,
                                   unsigned attempts, std::chrono::nanoseconds timeout, bool in_place) const;
};

}  // namespace forkful::detail
