// A worker's death, described as the failure of the slices it held: at once without names, in full when the caller is
// to read it. Naming code reads debug information, which takes milliseconds, and other calls are not to wait for that.
#pragma once

#include <cstddef>
#include <forkful/errors.hpp>
#include <forkful/options.hpp>
#include <optional>
#include <utility>

#include "crew/death.hpp"
#include "errors/exceptions.hpp"

namespace forkful::detail {

class crash {
 public:
  // As the caller counts: [first, last).
  struct slices {
    std::size_t first = 0;
    std::size_t last = 0;
  };
  crash(death how, slices held, unsigned worker, unsigned attempt, const call_options& options, failing_call of)
      : how_(std::move(how)),
        held_(held),
        worker_(worker),
        attempt_(attempt),
        attempts_(options.attempts),
        timeout_(options.timeout),
        of_(of) {}

  // Cost: microseconds.
  [[nodiscard]] slice_failure in_brief(std::size_t slice) const { return of(slice, describe({})); }
  // With the function, its line and the frames. Not thread-safe. Cost: milliseconds, once.
  [[nodiscard]] slice_failure in_full(std::size_t slice) {
    if (!full_) full_ = describe(how_.site());
    return of(slice, *full_);
  }

 private:
  [[nodiscard]] slice_failure describe(const crash_site& where) const {
    return how_.failure(held_.first, held_.last, worker_, attempt_, attempts_, timeout_, of_, where);
  }
  static slice_failure of(std::size_t slice, slice_failure failure) {
    failure.slice = slice;
    return failure;
  }

  death how_;
  slices held_;
  unsigned worker_;
  unsigned attempt_;
  unsigned attempts_;
  std::chrono::nanoseconds timeout_;
  failing_call of_;
  std::optional<slice_failure> full_;
};

}  // namespace forkful::detail
