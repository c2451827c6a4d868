// What pool_options say to a worker. Plain data: it is sent to the template too.
#pragma once

#include <cstdint>
#include <forkful/detail/host.hpp>

namespace forkful::detail {

struct worker_settings {
  void (*on_start)() = nullptr;
  void (*on_exit)() = nullptr;
  std::uint64_t max_slices = 0;  // leave after so many; 0: never
  std::uint64_t max_chunks = 0;  // likewise
  std::uint64_t memory = 0;      // bytes beyond what it starts with; 0: as much as there is
  const host* around = nullptr;  // null: a program of its own
  unsigned inner_threads = 0;    // of libraries inside the worker; 0: as many as they like
  bool pinned = false;           // to one core each
  bool alone = true;             // the process it was forked from had no other threads
  std::uint16_t unused = 0;      // so that no byte is sent that was not written
};

}  // namespace forkful::detail
