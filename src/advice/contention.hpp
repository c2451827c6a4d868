// How much slower slices are when every core runs some, because cores share memory, caches, and a virtual machine its host.
#pragma once

#include <cstddef>
#include <functional>

namespace forkful::detail {

// `run` runs the same few slices each time. Runs it alone, then beside `others` forked copies of this process that do the same for
// as long, and returns how many times as long it took then, at least 1. Takes about seven times as long as `run`. The copies end with
// this call, or by themselves soon after should this process die. 1 if there is nothing to fork with.
double slowdown_beside(unsigned others, const std::function<void()>& slice);

}  // namespace forkful::detail
