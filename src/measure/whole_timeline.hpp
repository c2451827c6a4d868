// One timeline of many calls, on one axis of time.
//
// Owns it. Invariant: never more than a recorder holds (chunks, events), and as many steps of the caller, however many calls
// there are. Not thread-safe. Times may be before those of the call that was added first: calls come by their ends.
#pragma once

#include <forkful/report.hpp>
#include <vector>

#include "measure/recorder.hpp"

namespace forkful::detail {

class whole_timeline {
 public:
  whole_timeline();
  // A call's, whose times count from `began` here, and whose number that is; 0: its entries know theirs. Without memory what does
  // not fit is left out, and it counts as thinned.
  void add(const timeline& one, std::chrono::nanoseconds began, std::uint64_t call) noexcept;
  // With times that count from `origin`. Throws std::bad_alloc.
  [[nodiscard]] timeline so_far(std::chrono::nanoseconds origin) const;

 private:
  void bound_steps();

  recorder kept_;
  std::vector<timeline_step> steps_;
  std::chrono::nanoseconds shortest_{0};  // shorter steps are drawn with the next
  bool thinned_ = false;
};

// The same steps by their begin, none beside another: where calls overlap, what the caller did goes before what it waited for.
std::vector<timeline_step> untangled(std::vector<timeline_step> all);

}  // namespace forkful::detail
