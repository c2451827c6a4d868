// What happened in one call: counted, not guessed.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace [[gnu::visibility("default")]] forkful {

/// A plain struct; every figure is of one call. Copying it is cheap.
struct report {
  std::string way;                   ///< "serial", "snapshot" or "process"
  std::size_t slices = 0;            ///< slices of the input
  std::size_t chunks = 0;            ///< hand-outs; chunks handed out again after a death are not counted twice
  unsigned workers = 0;              ///< size of the pool
  std::chrono::nanoseconds wall{0};  ///< from entering the verb to leaving it
  std::size_t bytes_in = 0;          ///< data copied towards the workers; pointers into shared memory count nothing
  std::size_t bytes_out = 0;         ///< data copied back as results
  std::size_t deaths = 0;            ///< workers that ended during the call
  std::size_t retries = 0;           ///< chunks handed out again
  unsigned threads_at_fork =
      0;  ///< threads that ran in the caller when a worker was forked from it; 0: none was forked
  std::vector<std::string> warnings{};  ///< what is worth knowing about how it was done, a sentence each

  /// The same as a few lines for people, without colour, at most 80 columns, ending in a newline.
  [[nodiscard]] std::string text() const;
};

}  // namespace forkful
