#include "backends/elsewhere/copies_on_write.hpp"

#include <algorithm>

#include "os/account.hpp"
#include "os/cpu.hpp"

namespace forkful::detail {

namespace {

constexpr std::size_t few_faults = 64;

}  // namespace

void copies_on_write::look(const crew& workers, report& happened) {
  const auto rows = static_cast<unsigned>(happened.per_worker.size());
  seen_.resize(std::max<std::size_t>(seen_.size(), rows));
  // What was copied was a page fault each: a few are not worth looking for, but in a new worker.
  const auto worth = [&](unsigned worker) {
    const copied& before = seen_[worker];
    return workers.running(worker) && (before.faults >= few_faults || before.of != workers.pid(worker));
  };
  bool any = false;
  for (unsigned worker = 0; worker < rows; ++worker) {
    seen_[worker].faults += happened.per_worker[worker].page_faults;
    any = any || worth(worker);
  }
  const std::uint64_t began = now_ns();
  // A hundred calls that were under way together are not looked at a hundred times.
  if (!any || began - std::max(static_cast<std::uint64_t>(happened.began.count()), looked_) < 10 * looking_ns_) return;
  for (unsigned worker = 0; worker < rows; ++worker) {
    if (!worth(worker)) continue;
    copied& before = seen_[worker];
    const copied now{workers.pid(worker), private_copies(workers.pid(worker))};
    const std::size_t known = before.of == now.of ? before.bytes : 0;
    const std::size_t more = now.bytes - std::min(now.bytes, known);
    happened.per_worker[worker].bytes_copied_on_write += more;
    happened.bytes_copied_on_write += more;
    before = now;
  }
  looked_ = now_ns();
  looking_ns_ = looked_ - began;
}

}  // namespace forkful::detail
