#include "measure/tally.hpp"

#include <algorithm>

namespace forkful::detail {

namespace {

std::chrono::nanoseconds time(std::uint64_t nanoseconds) noexcept {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(nanoseconds));
}

}  // namespace

bool keep_if_slow(std::vector<slow_slices>& slowest, const slow_slices& one) {
  const auto place =
      std::find_if(slowest.begin(), slowest.end(), [&](const slow_slices& other) { return other.time < one.time; });
  if (slowest.size() < most_slowest) {
    slowest.insert(place, one);
    return true;
  }
  if (place == slowest.end()) return false;
  std::move_backward(place, slowest.end() - 1, slowest.end());
  *place = one;
  return true;
}

tally::tally(const job& work, unsigned workers, stopwatch::phase first_phase)
    : watch(work.began_ns, first_phase), began_(work.began_ns) {
  happened.began = time(work.began_ns);
  happened.verb = work.verb;
  happened.workers = workers;
  happened.per_worker.resize(workers);
  happened.slowest.reserve(most_slowest);  // one slice may be there with several attempts
}

void tally::published(std::uint64_t now) noexcept {
  if (published_ == 0) published_ = now;
}

// Until finish() a row's `wake` is the moment when the worker took its first chunk.
void tally::add(const chunk_times& one) {
  if (one.worker >= happened.per_worker.size()) return;
  worker_row& row = happened.per_worker[one.worker];
  ++row.chunks;
  row.slices += one.count;
  if (one.began < began_ || one.ended <= one.began) return;
  const std::uint64_t ran = std::min(one.ran, one.ended - one.began);
  const std::uint64_t in = std::min(one.pass_in, ran);
  const std::uint64_t out = std::min(one.pass_out, ran - in);
  row.time.pass_in += time(in);
  row.time.pass_out += time(out);
  row.time.compute += time(ran - in - out);
  if (recorded_ != nullptr) {
    recorded_->add({.worker = one.worker,
                    .first = one.first,
                    .count = one.count,
                    .begin = time(one.began - began_),
                    .end = time(one.ended - began_),
                    .pass_in = time(in),
                    .pass_out = time(out)});
  }
  const auto began = time(one.began);
  if (row.time.wake.count() == 0 || began < row.time.wake) row.time.wake = began;
}

void tally::add_slow(const slow_slices& one) {
  const auto& all = happened.slowest;
  if (keep_if_slow(happened.slowest, one) && all.size() == most_slowest)
    bar_ = static_cast<std::uint64_t>(all.back().time.count());
}

void tally::add_lost(const chunk_times& one, std::uint64_t block_began) {
  if (one.worker >= happened.per_worker.size() || one.began < began_ || one.ended <= one.began) return;
  worker_row& row = happened.per_worker[one.worker];
  row.time.compute += time(one.ended - one.began);
  const auto began = time(one.began);
  if (row.time.wake.count() == 0 || began < row.time.wake) row.time.wake = began;
  if (block_began >= one.began && block_began < one.ended) {
    add_slow({one.first, one.count, one.worker, time(one.ended - block_began)});
  }
  if (recorded_ == nullptr) return;
  recorded_->add({one.worker, one.first, one.count, 1, time(one.began - began_), time(one.ended - began_), {}, {}});
}

void tally::come_back(std::uint64_t now) noexcept {
  if (left_ != 0 && now > left_) happened.away += time(now - left_);
  left_ = 0;
}

void tally::add_off_core(unsigned worker, std::chrono::nanoseconds off) noexcept {
  if (worker < happened.per_worker.size()) happened.per_worker[worker].off_core += off;
}

void tally::add_missing(unsigned worker) noexcept {
  if (worker >= happened.per_worker.size()) return;
  worker_row& row = happened.per_worker[worker];
  row.missing = row.chunks == 0 && row.deaths == 0;  // else it was there, and has been lost
}

void tally::add_memory(unsigned worker, std::size_t page_faults, std::size_t peak, std::size_t peak_private) noexcept {
  if (worker >= happened.per_worker.size()) return;
  worker_row& row = happened.per_worker[worker];
  row.page_faults += page_faults;
  row.peak_memory = std::max(row.peak_memory, peak);
  row.peak_private = std::max(row.peak_private, std::min(peak, peak_private));
  happened.page_faults += page_faults;
}

void tally::record(std::shared_ptr<recorder> into) {
  recorded_ = std::move(into);
  watch.record(recorded_.get());
}

void tally::add_failure(const slice_failure& failure, std::uint64_t at) {
  if (recorded_ == nullptr) return;
  add_event({.what = timeline_event::kind::slice_failed,
             .worker = failure.worker,
             .slice = failure.slice,
             .text = failure.type.empty() ? failure.what : failure.type + ": " + failure.what},
            at);
}

void tally::add_event(timeline_event what, std::uint64_t at) {
  if (recorded_ == nullptr) return;
  what.at = time(at - std::min(at, began_));
  recorded_->add(std::move(what));
}

void tally::add_death(unsigned worker) noexcept {
  ++happened.deaths;
  if (worker < happened.per_worker.size()) ++happened.per_worker[worker].deaths;
}

void tally::add_start(unsigned worker, std::uint64_t ready) {
  if (ready > began_) add_event({.what = timeline_event::kind::worker_started, .worker = worker}, ready);
  if (worker >= happened.per_worker.size() || (ready != 0 && ready <= began_)) return;
  happened.per_worker[worker].time.start = ready == 0 ? std::chrono::nanoseconds::max() : time(ready - began_);
}

void tally::finish(std::uint64_t now) noexcept {
  watch.enter(watch.now(), now);
  happened.caller = watch.split();
  watch.record(nullptr);
  happened.wall = time(now - began_);
  come_back(now);
  happened.away = std::min(happened.away, happened.caller.idle);
  const std::uint64_t first_slice = [&] {
    std::uint64_t first = 0;
    for (const worker_row& row : happened.per_worker) {
      const auto began = static_cast<std::uint64_t>(row.time.wake.count());
      if (began != 0 && (first == 0 || began < first)) first = began;
    }
    return first;
  }();
  if (published_ != 0 && first_slice > published_) {
    happened.queued = std::min(time(first_slice - published_), happened.wall);
  }
  for (unsigned worker = 0; worker < happened.per_worker.size(); ++worker) {
    worker_row& row = happened.per_worker[worker];
    row.worker = worker;
    time_split& split = row.time;
    row.off_core = std::min(row.off_core, split.compute);
    split.start = std::min(split.start, happened.wall);
    const std::chrono::nanoseconds first = split.wake;
    split.wake = {};
    if (first.count() != 0) {
      // A worker that was there only after its first chunk replaced another: while there was none, nothing ran.
      if (time(began_) + split.start > first) split.start = {};
      const auto since = std::max(time(published_), time(began_) + split.start);
      split.wake = std::max(std::chrono::nanoseconds(0), first - since);
    }
    split.idle = happened.wall - split.sum();
    if (split.idle.count() < 0) {  // clocks of several cores, or nonsense from a worker
      split.compute += split.idle;
      split.idle = {};
      if (split.compute.count() < 0) split = {.idle = happened.wall};
    }
  }
}

void tally::finish_into(report& begun, std::uint64_t now) {
  finish(now);
  happened.way = std::move(begun.way);
  happened.began = begun.began;
  happened.pool = begun.pool;
  happened.call = begun.call;
  happened.slices = begun.slices;
  for (slow_slices& slow : happened.slowest) slow.call = begun.call;
  happened.bytes_in += begun.bytes_in;
  happened.bytes_broadcast = begun.bytes_broadcast;
  happened.bytes_shared += begun.bytes_shared;
  if (recorded_ != nullptr) {
    happened.has_timeline = true;
    happened.recorded = recorded_->take();
    recorded_.reset();
  }
  begun = std::move(happened);
}

}  // namespace forkful::detail
