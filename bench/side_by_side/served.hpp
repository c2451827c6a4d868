// A contestant that has a process for itself: the same program, started again as a peer_process. For figures that are read from
// outside (memory, scheduling), where contestants in one process would be mixed up.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "contest.hpp"

namespace forkful_bench {

/// The command that starts this program again, with `arguments`.
std::vector<std::string> this_program(std::vector<std::string> arguments);

/// The other end of a peer_process: says that it is ready, and does a round whenever it is asked, until its input ends. Returns
/// what main() returns.
int serve(const std::function<measured()>& round);

}  // namespace forkful_bench
