// Is it worth it? What advise() answers, and `forkful advise`: which way is the fastest, by how much, and what would change that.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace [[gnu::visibility("default")]] forkful {

/// What one way is expected to take.
struct expected_time {
  std::string way{};      ///< "serial", "thread", "snapshot" or "process", as report::way
  unsigned workers = 1;   ///< the number of them that is fastest, at most as many as were asked for
  bool possible = true;   ///< false: this work cannot go that way at all
  std::string why_not{};  ///< then: why, and what would make it possible; one sentence
  std::chrono::nanoseconds time{
      0};  ///< of one call on a pool that is there already (a snapshot_pool forks at every call)
  std::chrono::nanoseconds low{0};  ///< with this machine's noise it is between low and high
  std::chrono::nanoseconds high{0};
  std::size_t bytes_copied = 0;  ///< there and back, in the whole call
};

/// A plain struct; times are of the whole call unless they say otherwise.
struct advice {
  std::string verdict{};              ///< one sentence: what to do, and what it gains
  std::string way{};                  ///< the way it names: the fastest one that is possible
  bool parallel = false;              ///< going parallel pays
  bool too_close = false;             ///< the intervals of the loop and of the best parallel way overlap: race them
  std::vector<expected_time> ways{};  ///< serial first
  std::size_t slices = 0;             ///< of the input
  std::chrono::nanoseconds slice{0};  ///< what one slice takes, on average
  std::chrono::nanoseconds break_even{
      0};                         ///< from which time a slice on it pays, all else being equal; 0: it never does
  std::string dominating_cost{};  ///< the largest part of what parallel time is not work shared evenly; one sentence
  std::string flip{};             ///< the one change that would turn the verdict; one sentence
  bool already_parallel = false;  ///< the callable keeps more than one core busy by itself
  std::string parallel_by{};      ///< then: which library does it, if that is known
  std::string doubt{};            ///< empty, or: why the machine's figures may be far off, and what to do; one sentence

  /// Readable in ten seconds: verdict, a line a way, break-even, largest cost, what would change the verdict, and last any doubt. At most 80
  /// columns, without colour, ending in a newline.
  [[nodiscard]] std::string text() const;
  /// One JSON object with the members above; times in nanoseconds, sizes in bytes (docs/advice.md).
  [[nodiscard]] std::string json() const;
};

}  // namespace forkful
