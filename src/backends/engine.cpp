#include "backends/engine.hpp"

#include <algorithm>
#include <atomic>
#include <forkful/detail/job.hpp>
#include <forkful/imap.hpp>
#include <stdexcept>
#include <string>

#include "board/board.hpp"
#include "measure/listener.hpp"
#include "measure/totals.hpp"
#include "memory/arena.hpp"
#include "os/cancellation.hpp"
#include "os/cpu.hpp"
#include "os/process.hpp"
#include "worker/this_worker.hpp"

namespace forkful::detail {

namespace {
std::atomic<std::uint64_t> engines{0};
}  // namespace

// relaxed: only uniqueness matters.
engine::engine(const pool_options& options, const char* way)
    : number_(engines.fetch_add(1, std::memory_order_relaxed) + 1),
      way_(way),
      records_(reporting() || options.record_timeline),
      sums_(std::make_shared<totals>()) {}

unsigned checked_workers(unsigned asked) {
  const unsigned wanted = asked != 0 ? asked : cpus_to_use();
  if (wanted > max_workers) {
    throw std::invalid_argument("forkful: a pool has at most " + std::to_string(max_workers) + " workers, " +
                                std::to_string(wanted) + " were asked for: use fewer");
  }
  return wanted;
}

// Pools of workers share what their pool may use.
unsigned cpus_to_use() noexcept { return std::max(1U, usable_cpus() / sharers()); }

segment_memory shared_segments() noexcept {
  return {nullptr,
          [](void*, std::size_t capacity) {
            return make_segment(arena::own().allocate(sizeof(segment) + capacity, most_alignment), capacity);
          },
          [](void*, segment* piece) noexcept { shared_deallocate(piece); }};
}

void free_shared_segments(segment* chain) noexcept {
  while (chain != nullptr) {
    segment* const next = chain->next;
    shared_deallocate(chain);
    chain = next;
  }
}

void leave_fork() noexcept { leave(0); }

void check_room(const void* data, std::size_t elements, std::size_t element_bytes, std::size_t slices, bool isolated) {
  if (elements != slices) {
    throw std::invalid_argument("forkful: map_into has " + std::to_string(slices) + " results to write and room for " +
                                std::to_string(elements) + ": make the output as long as the input");
  }
  if (isolated && slices != 0 && !in_shared_memory(data, elements * element_bytes)) {
    throw not_shared(
        "map_into was to write results into ordinary memory, which workers cannot reach: give it a "
        "forkful::shared_vector or a span of one, or use map");
  }
}

void throw_not_shared(const char* verb) {
  throw not_shared(
      std::string(verb) +
      " was to change slices in place, but this span points into ordinary memory: workers would change a copy of it; "
      "keep the data in a forkful::shared_vector, or use update(), which puts the changed slices back");
}

void throw_argument_not_shared(const char* verb) {
  throw not_shared(
      std::string(verb) +
      " was given a span whose elements the callable may change, but it points into ordinary memory: a worker would "
      "change a copy of them; keep the data in a forkful::shared_vector, or let the callable take a std::span of const "
      "elements and return what it makes");
}

void throw_inner_span_not_shared(const char* verb, std::string_view holder) {
  throw not_shared(
      std::string(verb) + " was given " + std::string(holder) +
      ", in which a span of elements that can be changed points into ordinary memory: a worker would change a copy of "
      "them; keep the data in a forkful::shared_vector, or hold a std::span of const elements and return what it "
      "makes");
}

void no_results_left() {
  throw std::logic_error("forkful: these results of imap were moved from: take them from where they were moved to");
}

void throw_moved_from() {
  throw pool_closed(
      "this pool was moved from and has no workers: use the pool that it was moved to, or assign a new one to it");
}

}  // namespace forkful::detail
