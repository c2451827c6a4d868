// How long slices took in earlier calls of the same callable, so that the next call of it is cut by time.
//
// Owns a fixed table. Calls that fall on the same place forget each other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <forkful/detail/job.hpp>

namespace forkful::detail {

// The same for calls of the same callable; never 0.
inline std::uint64_t likeness_of(const job& work) noexcept {
  std::uint64_t all = work.callable;
  for (const void* one : {reinterpret_cast<const void*>(work.run), work.code[0], work.code[1]}) {
    all = (all ^ reinterpret_cast<std::uintptr_t>(one)) * 0x9e3779b97f4a7c15;  // Fibonacci hashing (Knuth 1973, 6.4)
    all ^= all >> 32;
  }
  return all | 1;
}

class slice_times {
 public:
  // Nanoseconds; 0: not known. `callable`: as likeness_of says.
  [[nodiscard]] double of(std::uint64_t callable) const noexcept {
    const known& one = places_[place(callable)];
    return one.callable == callable ? one.nanoseconds : 0;
  }
  // The last call counts as much as all before it.
  void saw(std::uint64_t callable, std::uint64_t nanoseconds, std::uint64_t slices) noexcept {
    if (slices == 0) return;
    known& one = places_[place(callable)];
    const double now = static_cast<double>(nanoseconds) / static_cast<double>(slices);
    one = {callable, one.callable == callable ? (one.nanoseconds + now) / 2 : now};
  }

 private:
  struct known {
    std::uint64_t callable = 0;
    double nanoseconds = 0;
  };
  static constexpr std::size_t count = 64;

  [[nodiscard]] static std::size_t place(std::uint64_t callable) noexcept { return callable % count; }

  std::array<known, count> places_{};
};

}  // namespace forkful::detail
