// From an exception or a death to a slice_failure, in the process that saw it; the way back, rethrow(), is public
// (errors.hpp) because outcome<R> calls it.
//
// Owns nothing. Both ways go through one list of bases (bases.hpp).
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <forkful/errors.hpp>

#include "os/fault.hpp"

namespace forkful::detail {

/// Describes the exception being handled; call it inside a catch block. `attempt` counts from 1. Never throws: without
/// the memory to describe it, the failure becomes a plain std::bad_alloc. Costs one rethrow, about 2 µs.
slice_failure capture_exception(std::size_t slice, unsigned worker, unsigned attempt) noexcept;

/// "std::runtime_error: burnt", for a sentence about something that is no slice; "int, no std::exception" of others.
std::string thrown_text(const slice_failure&);

/// Where a crash was, as far as the worker could still note it.
struct crash_site {
  std::vector<std::string> frames;  // innermost first
  std::string top;                  // the innermost of the user's own; may be empty
  std::string place;                // its line, as "work.cpp:12"; may be empty
  std::string caller;           // where that has no line, or is in a library: the next caller with a line; may be empty
  std::string caller_location;  // the line of that caller
  access touched = access::unknown;
};

/// " in run(int) at work.cpp:12", or " in parse(char const*), called by run(int) at work.cpp:12", shortened to fit into a sentence;
/// empty if nothing is known.
std::string in_function(const crash_site&);

/// "SIGSEGV, segmentation fault".
std::string signal_text(int signal);

/// The call that a slice failed in: what its sentence may recommend.
struct failing_call {
  std::string_view verb = "map";
  bool in_place = false;  // slices are changed where they lie: they may be half done, and several may be named
  std::size_t slices = ~std::size_t{0};  // of the whole call
};

/// Describes the end of a worker that held slices [first, last): by `signal`, or if that is 0 with `exit_status`, or if
/// that is -1 in an unknown way.
slice_failure crash_failure(std::size_t first, std::size_t last, unsigned worker, unsigned attempt, unsigned attempts,
                            int signal, int exit_status, const failing_call& of, crash_site where = {});

/// Describes slices [first, last) that ran longer than `timeout` and whose worker was therefore killed.
slice_failure timeout_failure(std::size_t first, std::size_t last, unsigned worker, unsigned attempt, unsigned attempts,
                              std::chrono::nanoseconds timeout, const failing_call& of);

/// Describes a slice that was not finished because the call was stopped.
slice_failure cancelled_failure(std::size_t slice, unsigned worker, unsigned attempt, std::string_view verb);

/// The same of many slices that no worker began: what does not depend on the slice is found out once.
class cancelled_slices {
 public:
  explicit cancelled_slices(std::string_view verb);
  [[nodiscard]] slice_failure failure(std::size_t slice) const;

 private:
  std::string_view verb_;
  slice_failure pattern_;  // without a sentence
};

}  // namespace forkful::detail
