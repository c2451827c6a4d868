// How a worker ended, as far as it matters to the slice it held. Owns nothing shared.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <forkful/errors.hpp>

#include "errors/exceptions.hpp"
#include "os/child.hpp"
#include "worker/record.hpp"

namespace forkful::detail {

struct death : ending {
  bool late = false;  // killed because its slice had had its time
  // When it ended, CLOCK_MONOTONIC nanoseconds, or some time before that: the parent may not have looked.
  std::uint64_t ended_ns = 0;

  bool left = false;  // of its own accord, as it was asked: it held nothing
  access touched = access::unknown;
  std::vector<std::uintptr_t> where;  // program counters at the crash, innermost first

  std::string said;  // why it could not start; may be empty

  // Adds what the worker itself has noted.
  void read(const worker_record&);
  // Why a worker did not get through its start, as the end of a sentence. `starting`: the code that was to run, as its subject.
  [[nodiscard]] std::string trouble(const std::string& starting) const;

  // "signal 11 (SIGSEGV)", "exit status 3", "too late".
  [[nodiscard]] std::string brief_failure() const;
  // Where it crashed, by name; of one that was late nothing. Reads debug information: milliseconds.
  [[nodiscard]] crash_site site() const;
  // Describes it as the failure of slices [first, last), on their last attempt.
  [[nodiscard]] slice_failure failure(std::size_t first, std::size_t last, unsigned worker, unsigned attempt,
                                      unsigned attempts, std::chrono::nanoseconds timeout, const failing_call& of,
                                      const crash_site& where_it_was) const;
};

}  // namespace forkful::detail
