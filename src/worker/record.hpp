// What a worker leaves behind for the parent to read after its death: one in the arena for each worker, beside its slot.
//
// Written by the worker (in a signal handler, at that), cleared by the parent before a worker is started. Believed only as far
// as it can do no harm: a number, a few addresses that are printed, never followed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "os/fault.hpp"

namespace forkful::detail {

constexpr std::size_t most_frames = 40;

enum class worker_stage : std::uint32_t {
  starting,  // has not taken part yet: on_worker_start may be running
  working,
  leaving,  // holds nothing and takes nothing any more: on_worker_exit may be running
};

struct alignas(64) worker_record {
  std::atomic<worker_stage> stage{worker_stage::starting};
  std::atomic<int> signal{0};  // that the handler caught; 0: none
  std::atomic<access> touched{access::unknown};
  // Program counters, innermost first, moved into the call for all but the first. Counted as they are written, so that a walk
  // that does not end leaves what it found.
  std::atomic<std::uint32_t> frames{0};
  std::array<std::uintptr_t, most_frames> where{};
  // Why it could not start, as text that ends with a zero; empty: it does not say.
  std::array<char, 400> trouble{};
};

}  // namespace forkful::detail
