// The largest part of a call that is not work shared evenly, in a sentence with its figures.

#include <algorithm>
#include <array>
#include <cmath>

#include "advice/call_costs.hpp"
#include "advice/weighing.hpp"
#include "format/fmt.hpp"
#include "report/words.hpp"

namespace forkful::detail {

namespace {

constexpr double worth_a_word = 0.01;  // of the whole

std::string part_of(double seconds, const weighed& chosen) {
  return fmt::format("{} of {}", in_words(seconds), in_words(chosen.what.wall));
}

std::string of_start(const weighed& chosen, const situation& where, const machine& on) {
  std::string said =
      fmt::format("starting {} takes {}", counted(chosen.workers, "worker"), part_of(chosen.what.start, chosen));
  const bool by_memory = on.fork_per_byte * where.private_memory > on.fork_start;
  if (by_memory && (chosen.by != way::processes || !where.from_template)) {
    said += fmt::format(": the caller has {} of memory of its own",
                        human_bytes(static_cast<std::size_t>(where.private_memory)));
  }
  return said;
}

std::string of_contention(const weighed& chosen, const workload& work, const situation& where, const machine& on) {
  const double wants = std::clamp(work.cpu_share, 0.0, 1.0) * chosen.workers;
  if (work.inner_threads > 1.05) {
    const std::string by = where.parallel_by.empty() ? "" : fmt::format(" (by {})", where.parallel_by);
    return fmt::format("the callable is parallel already{}, on {:.1f} cores: {} of {} is what they fight for", by,
                       work.inner_threads, in_words(chosen.what.contention), in_words(chosen.what.wall));
  }
  if (wants > on.cpus) {
    return fmt::format("{} share {}: {} lost", counted(chosen.workers, "worker"), counted(on.cpus, "core"),
                       part_of(chosen.what.contention, chosen));
  }
  if (work.slowdown > 1 || work.traffic > 0) {
    return fmt::format("workers fight for memory: slices take {:.1f} times as long when {} run at once, {} lost",
                       (chosen.what.compute + chosen.what.contention) / chosen.what.compute, chosen.workers,
                       part_of(chosen.what.contention, chosen));
  }
  return fmt::format("the caller needs a core too, to hand out and take back: {} lost",
                     part_of(chosen.what.contention, chosen));
}

std::string of_tail(const weighed& chosen, const workload& work) {
  const double longest = work.time.longest();
  if (longest > work.time.sum(0, work.slices) / chosen.workers) {
    return fmt::format("one slice takes {}, and nobody can help its worker: others wait {}", in_words(longest),
                       part_of(chosen.what.tail, chosen));
  }
  if (work.slices < chosen.workers * std::size_t{4}) {
    return fmt::format("{} for {} cannot be shared evenly: others wait {}", counted(work.slices, "slice"),
                       counted(chosen.workers, "worker"), part_of(chosen.what.tail, chosen));
  }
  return fmt::format("workers wait for the last slices at the end: {}", part_of(chosen.what.tail, chosen));
}

}  // namespace

std::string largest_cost(const weighed& chosen, const workload& work, const situation& where, const machine& on) {
  if (chosen.by == way::serial) return "the loop has no costs but its work";
  const prediction& what = chosen.what;
  const std::array parts{what.start, what.wake, what.contention, what.pass, what.hand_out, what.tail};
  const auto largest = std::max_element(parts.begin(), parts.end());
  if (*largest < worth_a_word * what.wall) {
    const double longest = work.time.longest();
    if (longest > 0.9 * what.wall && chosen.workers < workers_of(where, on)) {
      return fmt::format("one slice takes {}: nobody can help its worker, so more workers gain nothing",
                         part_of(longest, chosen));
    }
    return fmt::format("none stands out: {} of the time is work shared evenly", percent(what.compute / what.wall));
  }
  switch (largest - parts.begin()) {
    case 0:
      return of_start(chosen, where, on);
    case 1:
      return fmt::format("waking workers that sleep takes {}", part_of(what.wake, chosen));
    case 2:
      return of_contention(chosen, work, where, on);
    case 3:
      return fmt::format("copying {} takes {}", human_bytes(static_cast<std::size_t>(bytes_copied(work, chosen.by))),
                         part_of(what.pass, chosen));
    case 4:
      return fmt::format("handing out {} takes {}", counted(what.chunks, "chunk"), part_of(what.hand_out, chosen));
    default:
      return of_tail(chosen, work);
  }
}

}  // namespace forkful::detail
