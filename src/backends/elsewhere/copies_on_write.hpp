// What workers have copied of the memory that they share with the process they were forked from, as it stands in the reports of calls with a
// timeline.
//
// Owns what it saw of each worker when it looked last. Behind the mutex of its coordinator.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <forkful/report.hpp>
#include <vector>

#include "crew/crew.hpp"

namespace forkful::detail {

class copies_on_write {
 public:
  // Adds what was copied since the last look to the report of a call that has ended, whose page faults are counted. Looks at nobody where
  // looking would take longer than a tenth of the time since; at no worker that had few page faults, but new ones. What they copied
  // counts for the next. Cost: 0.15 ms a worker that is looked at.
  void look(const crew& workers, report& happened);

 private:
  struct copied {
    pid_t of = -1;
    std::size_t bytes = 0;
    std::size_t faults = 0;  // since
  };
  std::vector<copied> seen_;            // by worker
  std::uint64_t looking_ns_ = 200'000;  // how long the last look took
  std::uint64_t looked_ = 0;            // when that was
};

}  // namespace forkful::detail
