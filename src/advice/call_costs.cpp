#include "advice/call_costs.hpp"

#include <algorithm>

namespace forkful::detail {

namespace {

// The C library gives freed memory back to the kernel from the first size on (M_TRIM_THRESHOLD), so what lives until
// the end of a call is new memory in the next one. A single object that is freed at once is used again up to the second
// (the largest value that M_MMAP_THRESHOLD grows to).
constexpr double given_back_from = 128.0 * 1024;
constexpr double never_reused_from = 32.0 * 1024 * 1024;

double copied(double bytes, const machine& on) { return on.copy_rate > 0 ? bytes / on.copy_rate : 0; }
double copied_into_fresh(double bytes, const machine& on) {
  return on.fresh_copy_rate > 0 ? bytes / on.fresh_copy_rate : copied(bytes, on);
}

// For what was not measured. Encoding writes into the arena, which was used before.
double encoding(const passing& given, const machine& on) {
  return given.encode != 0 ? given.encode : copied(given.bytes, on);
}

double decoding(const passing& given, bool fresh, const machine& on) {
  if (given.decode != 0) return given.decode;
  return fresh ? copied_into_fresh(given.bytes, on) : copied(given.bytes, on);
}

}  // namespace

double call_costs::fighting_for_memory(double running) const {
  if (running <= 1) return std::max(1.0, traffic_share * running);
  const double all = cpus > 1 ? std::min(1.0, (running - 1) / (cpus - 1.0)) : 0;
  return std::max({1.0, 1 + (slowdown - 1) * all, traffic_share * running});
}

call_costs costs_of(const workload& work, const crew_plan& plan, const machine& on) {
  call_costs found;
  found.runners = std::max(1U, plan.workers);
  const bool threads = plan.by == way::threads;
  const way_costs& costs = threads ? on.threads : on.processes;
  found.wake = costs.wake;
  found.crowded_wake = threads ? costs.wake : std::max(costs.wake, on.crowded_wake);
  found.rouse = std::min(costs.rouse, costs.wake);
  found.publish = found.take_back = costs.hand_out / 2;
  found.claim = costs.claim;
  found.once = std::max(0.0, costs.call - costs.hand_out - costs.claim);
  if (plan.by == way::snapshot || (plan.by == way::processes && plan.cold)) {
    const bool from_template = plan.by == way::processes && plan.from_template;
    found.start = from_template ? on.template_start : on.fork_start + on.fork_per_byte * plan.private_memory;
  }
  // A snapshot pool has no more workers than slices.
  if (plan.by == way::snapshot) {
    found.runners = static_cast<unsigned>(std::clamp<std::size_t>(work.slices, 1, found.runners));
  }
  if (!threads) {
    const bool results_fresh = work.out.bytes * static_cast<double>(work.slices) >= given_back_from;
    found.pass = encoding(work.out, on);
    found.decode = decoding(work.out, results_fresh, on);
    if (plan.by == way::processes) {
      found.encode = encoding(work.in, on);
      found.pass += decoding(work.in, work.in.bytes >= never_reused_from, on);
      found.slice_bytes = work.in.bytes;
      found.broadcast = copied(work.broadcast_bytes, on);
      found.broadcast_decoded = work.broadcast_bytes >= given_back_from ? copied_into_fresh(work.broadcast_bytes, on)
                                                                        : copied(work.broadcast_bytes, on);
    }
    found.longer = std::max(1.0, work.inner_threads);
  }
  found.demand = std::max(1.0, threads ? work.inner_threads : 1.0);
  found.cpus = on.cpus;
  found.slowdown = std::max(1.0, work.slowdown);
  // Copying at that rate reads as much as it writes.
  if (on.copy_rate_all > 0) found.traffic_share = work.traffic / (2 * on.copy_rate_all);
  return found;
}

double bytes_copied(const workload& work, way by) noexcept {
  const auto slices = static_cast<double>(work.slices);
  switch (by) {
    case way::processes:
      return slices * (work.in.bytes + work.out.bytes) + work.broadcast_bytes;
    case way::snapshot:
      return slices * work.out.bytes;
    default:
      return 0;
  }
}

}  // namespace forkful::detail
