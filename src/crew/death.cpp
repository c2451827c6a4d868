#include "crew/death.hpp"

#include "errors/exceptions.hpp"

namespace forkful::detail {

slice_failure death::told(std::size_t first, std::size_t last, unsigned worker, unsigned attempt, unsigned attempts,
                          std::chrono::nanoseconds timeout, bool in_place) const {
  if (late) return timeout_failure(first, last, worker, attempt, attempts, timeout, in_place);
  return crash_failure(first, last, worker, attempt, attempts, signal, exit_status, in_place);
}

}  // namespace forkful::detail
