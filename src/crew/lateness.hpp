// Workers that hold a chunk of a call with a time limit, and do not get on with it (docs/protocol.md, 14).
//
// A worker ends itself when a slice is late. This is for workers that cannot: stopped before the timer was set, refused a
// timer by the kernel, or held up between two slices. They are ended from outside when word and cursor have not changed for
// 2 * timeout + 100 ms. Owns what it saw last of each worker.
#pragma once

#include <cstdint>
#include <vector>

#include "board/board.hpp"
#include "crew/crew.hpp"

namespace forkful::detail {

class lateness {
 public:
  explicit lateness(unsigned workers) : seen_(workers) {}

  // Ends the workers that are late by now. For the parent, whenever it waits; cheap when it looked a moment ago, and as soon
  // as it has seen that no call has a time limit.
  void look(board&, crew&) noexcept;

 private:
  struct seen {
    std::uint64_t word = 0;
    std::uint64_t cursor = 0;
    std::uint64_t since = 0;
  };
  std::vector<seen> seen_;
  std::uint64_t looked_ = 0;
};

}  // namespace forkful::detail
