#include "measure/totals.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <new>
#include <utility>

#include "measure/shown_costs.hpp"
#include "measure/tally.hpp"

namespace forkful::detail {

namespace {

using std::chrono::nanoseconds;
constexpr std::size_t most_warnings = 16;

// What a thread of control does, one thing at a time: of calls that overlap, too, it adds up.
void add_work(time_split& sum, const time_split& one) noexcept {
  sum.pass_in += one.pass_in;
  sum.compute += one.compute;
  sum.pass_out += one.pass_out;
  sum.reassemble += one.reassemble;
}

// Waiting is what is left of the wall. Where several threads did one row's work at the same time, it is more than the wall: then
// all parts are shortened alike.
void fit(time_split& split, nanoseconds wall) noexcept {
  split.idle = nanoseconds(0);
  const nanoseconds busy = split.sum();
  if (busy > wall) {
    // A little less, so that rounding does not bring it above the wall again.
    const double factor = static_cast<double>(wall.count()) / static_cast<double>(busy.count()) * (1 - 1e-12);
    for (nanoseconds* part :
         {&split.start, &split.pass_in, &split.wake, &split.compute, &split.pass_out, &split.reassemble}) {
      *part = nanoseconds(static_cast<std::int64_t>(static_cast<double>(part->count()) * factor));
    }
  }
  split.idle = wall - split.sum();
}

void add_row(worker_row& sum, const worker_row& one, bool alone) noexcept {
  sum.slices += one.slices;
  sum.chunks += one.chunks;
  sum.deaths += one.deaths;
  sum.page_faults += one.page_faults;
  sum.bytes_copied_on_write += one.bytes_copied_on_write;
  sum.peak_memory = std::max(sum.peak_memory, one.peak_memory);
  sum.peak_private = std::max(sum.peak_private, one.peak_private);
  sum.off_core += one.off_core;
  sum.missing = sum.missing && one.missing;
  add_work(sum.time, one.time);
  if (!alone) return;
  sum.time.start += one.time.start;
  sum.time.wake += one.time.wake;
}

}  // namespace

// The state behind the lock; what a fork left half written is left alone for good and begun anew.
class totals::guard {
 public:
  explicit guard(const totals& of) noexcept : of_(of) {
    if (!of.lock_.lock()) std::construct_at(&of.sums_);
  }
  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;
  ~guard() { of_.lock_.unlock(); }

 private:
  const totals& of_;
};

totals::totals() noexcept : sums_{} {}

totals::~totals() {
  const guard lock(*this);
  std::destroy_at(&sums_);
}

void totals::add(const report& one) noexcept {
  const guard lock(*this);
  const nanoseconds before = std::exchange(sums_.ended, std::max(sums_.ended, one.began + one.wall));
  shown_by_calls().saw(one, before.count() != 0 && before < one.began ? one.began - before : nanoseconds(0));
  try {
    make_room(sums_, one);
    count(sums_, one);
  } catch (const std::bad_alloc&) {
    // What could not be counted is not in the total.
  }
}

void totals::reset() noexcept {
  const guard lock(*this);
  sums_ = sums{};
}

// All that takes memory, before anything is counted.
void totals::make_room(sums& to, const report& one) {
  report& all = to.all;
  if (all.per_worker.size() < one.per_worker.size()) {
    const auto before = static_cast<unsigned>(all.per_worker.size());
    all.per_worker.resize(one.per_worker.size());
    for (unsigned worker = before; worker < all.per_worker.size(); ++worker) {
      all.per_worker[worker].worker = worker;
      all.per_worker[worker].missing = true;  // until a call had it
    }
  }
  if (all.calls == 0) {
    all.way = one.way;
    all.slowest.reserve(most_slowest);
  }
  for (const std::string& warning : one.warnings) {
    if (all.warnings.size() == most_warnings) break;
    if (std::find(all.warnings.begin(), all.warnings.end(), warning) == all.warnings.end())
      all.warnings.push_back(warning);
  }
  // Mostly the verb of the call before.
  if (to.last_verb >= to.verbs.size() || to.verbs[to.last_verb].first != one.verb) {
    const auto same = [&](const auto& known) { return known.first == one.verb; };
    const auto found = std::find_if(to.verbs.begin(), to.verbs.end(), same);
    to.last_verb = static_cast<std::size_t>(found - to.verbs.begin());
    if (found == to.verbs.end()) to.verbs.emplace_back(one.verb, 0);
  }
  if (one.has_timeline && to.recorded == nullptr) to.recorded = std::make_unique<whole_timeline>();
}

void totals::count(sums& to, const report& one) {
  report& all = to.all;
  to.verbs[to.last_verb].second += one.calls;
  const bool alone = to.wall.add(one.began, one.began + one.wall);
  all.began = all.calls == 0 ? one.began : std::min(all.began, one.began);
  all.calls += one.calls;
  all.pool = one.pool;
  all.call = one.call;
  all.finished = all.finished && one.finished;
  all.has_timeline = all.has_timeline || one.has_timeline;
  to.asked += one.wall - one.away;
  all.queued += one.queued;
  all.beside_others = all.beside_others || one.beside_others;
  all.slices += one.slices;
  all.chunks += one.chunks;
  all.bytes_in += one.bytes_in;
  all.bytes_broadcast += one.bytes_broadcast;
  all.bytes_out += one.bytes_out;
  all.bytes_shared += one.bytes_shared;
  all.bytes_copied_on_write += one.bytes_copied_on_write;
  all.page_faults += one.page_faults;
  all.deaths += one.deaths;
  all.retries += one.retries;
  all.workers = std::max(all.workers, one.workers);
  all.threads_at_fork = std::max(all.threads_at_fork, one.threads_at_fork);
  all.peak_memory = std::max(all.peak_memory, one.peak_memory);
  all.arena_bytes = one.arena_bytes;
  add_work(all.caller, one.caller);
  all.caller.start += one.caller.start;
  all.caller.wake += one.caller.wake;
  for (std::size_t row = 0; row < one.per_worker.size(); ++row)
    add_row(all.per_worker[row], one.per_worker[row], alone);
  for (slow_slices slow : one.slowest) {
    if (all.slowest.size() == most_slowest && slow.time <= all.slowest.back().time) break;
    if (one.calls == 1) slow.call = one.call;
    keep_if_slow(all.slowest, slow);
  }
  if (one.has_timeline) to.recorded->add(one.recorded, one.began, one.calls == 1 ? one.call : 0);
}

report totals::so_far() const {
  const guard lock(*this);
  report all = sums_.all;
  all.wall = sums_.wall.covered();
  fit(all.caller, all.wall);
  // A thread waits for one call at a time: what is not in the calls' own is time in which no thread asked for any.
  all.away = std::clamp(all.wall - sums_.asked, nanoseconds(0), all.caller.idle);
  for (worker_row& row : all.per_worker) {
    fit(row.time, all.wall);
    row.off_core = std::min(row.off_core, row.time.compute);
  }
  auto verbs = sums_.verbs;
  std::stable_sort(verbs.begin(), verbs.end(),
                   [](const auto& one, const auto& other) { return one.second > other.second; });
  for (const auto& [verb, times] : verbs) all.verb += (all.verb.empty() ? "" : ", ") + verb;
  if (all.has_timeline) all.recorded = sums_.recorded->so_far(all.began);
  return all;
}

}  // namespace forkful::detail
