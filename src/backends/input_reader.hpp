// Reads the input of a call that is not known before (job::pull), also one that has to be waited for: a pipe, a terminal.
//
// Owns what is known of how it comes. Used by the caller's thread alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <forkful/detail/job.hpp>

namespace forkful::detail {

class input_reader {
 public:
  // As job::pull; but of an input of unknown length no more than came within a millisecond, lest what is there waits for what is not. `whole`:
  // the caller wants so many, however long that takes.
  std::size_t read(const job& work, std::size_t wanted, bool whole);
  // Until then results are worth more than further input (CLOCK_MONOTONIC nanoseconds; 0: they are not). The last read waited, for the input
  // and not to compute it: as long again is given to what was read before, for the next read may take longer than that.
  [[nodiscard]] std::uint64_t not_before() const noexcept { return not_before_; }

 private:
  std::uint64_t not_before_ = 0;
  bool slow_ = true;  // the last read: of the next one it is asked whether it computes
  std::exception_ptr thrown_;
};

}  // namespace forkful::detail
