#include "measure/shown_costs.hpp"

#include <algorithm>

namespace forkful::detail {

namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds asleep{1'000'000};  // idle for so long, workers sleep, and so do their cores
constexpr std::size_t many_chunks = 64;
constexpr std::size_t many_bytes = std::size_t{64} << 20;    // more than caches hold
constexpr std::size_t large_slice = std::size_t{256} << 10;  // of smaller ones more is done than copying

double seconds(nanoseconds time) noexcept { return 1e-9 * static_cast<double>(time.count()); }

// A clock that did not advance says nothing.
void saw_time(shown_least& to, nanoseconds time) noexcept {
  if (time.count() > 0) to.saw(seconds(time));
}

void saw_copying(shown_least& to, std::size_t bytes, std::size_t slices, nanoseconds took) noexcept {
  if (bytes >= many_bytes && bytes / std::max<std::size_t>(slices, 1) >= large_slice && took.count() > 0)
    to.saw(seconds(took) / static_cast<double>(bytes));
}

}  // namespace

void shown_least::saw(double value) noexcept {
  most_ = std::max(most_, value);
  if (++count_ != in_a_row) return;
  best_ = best_ == 0 ? most_ : std::min(best_, most_);
  count_ = 0;
  most_ = 0;
}

void shown_costs::look_at(way& of, const report& one, nanoseconds idle) noexcept {
  if (one.bytes_in + one.bytes_out == 0) {
    if (one.chunks == 1 && idle < asleep) {
      const auto ran = std::find_if(one.per_worker.begin(), one.per_worker.end(),
                                    [](const worker_row& row) { return row.chunks == 1; });
      if (ran != one.per_worker.end()) saw_time(of.call, one.wall - ran->time.compute);
    }
    if (one.chunks >= many_chunks) {
      const nanoseconds handing = one.caller.pass_in + one.caller.wake + one.caller.reassemble;
      if (handing.count() > 0) of.hand_out.saw(seconds(handing) / static_cast<double>(one.chunks));
    }
  }
  if (idle >= asleep) saw_time(of.wake, one.queued);
}

void shown_costs::saw(const report& one, nanoseconds idle) noexcept {
  const bool processes = one.way == "process";
  if (!processes && one.way != "thread") return;
  // Only of calls that nothing else was mixed with.
  if (one.calls != 1 || one.beside_others || one.deaths != 0 || one.caller.start.count() != 0 ||
      one.away.count() != 0 || one.has_timeline || one.chunks == 0)
    return;
  if (busy_.test_and_set(std::memory_order_acquire)) return;
  look_at(processes ? processes_ : threads_, one, idle);
  if (processes) {
    saw_copying(copying_, one.bytes_in - one.bytes_broadcast, one.slices, one.caller.pass_in);
    saw_copying(fresh_copying_, one.bytes_out, one.slices, one.caller.reassemble);
  }
  busy_.clear(std::memory_order_release);
}

shown_figures shown_costs::so_far() const noexcept {
  if (busy_.test_and_set(std::memory_order_acquire)) return {};
  const auto of = [](const way& one) {
    return shown_figures::way{one.call.known(), one.wake.known(), one.hand_out.known()};
  };
  const auto rate = [](const shown_least& one) { return one.known() > 0 ? 1 / one.known() : 0; };
  const shown_figures found{of(threads_), of(processes_), rate(copying_), rate(fresh_copying_)};
  busy_.clear(std::memory_order_release);
  return found;
}

shown_costs& shown_by_calls() noexcept {
  static shown_costs of_this_process;
  return of_this_process;
}

}  // namespace forkful::detail
