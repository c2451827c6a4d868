// What a call does about slices that failed and workers that died: the second half of call.hpp.
//
// Owns nothing of its own. All of it runs behind the session's mutex, and what a worker left is read only when its chunk is done
// or its process has ended (docs/protocol.md, 2, 6, 7, 11).
#include <algorithm>
#include <cstring>

#include "backends/call.hpp"
#include "errors/exceptions.hpp"
#include "os/breakpoint.hpp"
#include "os/cpu.hpp"

namespace forkful::detail {

// ---- Failures ---------------------------------------------------------------------------------------------------------

// Moves the failures a worker recorded in the chunk into the parent's own memory.
void call::take_failures(chunk& entry, handout& what) {
  desk::memory_of_worker of_worker{&desk_.memory, what.heap_slot};
  failure_record* one = std::exchange(entry.failures, nullptr);
  for (std::uint64_t seen = 0; one != nullptr && seen < what.last - what.first; ++seen) {
    if (!desk_.memory.owned_by(what.heap_slot, one, sizeof *one)) break;
    failure_record* const next = one->next;
    const std::uint64_t slice = std::clamp(one->slice, what.first, what.last - 1);
    try {
      source frame(one->frame, of_worker.bounds());
      fail(what, {slice, frame.read<slice_failure>()});
    } catch (const codec_error& error) {
      slice_failure failure;
      failure.kind = failure_kind::codec;
      failure.what = error.what();
      failure.slice = job_.named(slice);
      fail(what, {slice, std::move(failure)});
    }
    desk_.free_chain(one->frame, what.heap_slot);
    desk_.memory.deallocate(one);
    one = next;
  }
  std::sort(what.failures.begin(), what.failures.end(),
            [](const failed_slice& a, const failed_slice& b) { return a.slice < b.slice; });
}

void call::fail(handout& what, failed_slice failed) {
  const auto same = [&](const failed_slice& other) { return other.slice == failed.slice; };
  if (std::any_of(what.failures.begin(), what.failures.end(), same)) return;
  if (!failed_ || failed.slice < lowest_slice_) {
    lowest_ = failed.failure;
    lowest_slice_ = failed.slice;
  }
  failed_ = true;
  counted.add_failure(failed.failure);
  if (!job_.keep_going) set_limit(failed.slice);
  what.failures.push_back(std::move(failed));
}

void call::set_limit(std::uint64_t slice) noexcept {
  limit_ = std::min(limit_, slice);
  shared_->limit.store(limit_, std::memory_order_relaxed);
}

void call::limit_workers(std::uint64_t slice) noexcept {
  // Workers only: the call's own limit waits for the failure itself, because its worker may die before it is told.
  if (job_.keep_going) return;
  const std::uint64_t announced = shared_->limit.load(std::memory_order_relaxed);
  shared_->limit.store(std::min({limit_, slice, announced}), std::memory_order_relaxed);
}

void call::forget_announced_failures() noexcept { shared_->limit.store(limit_, std::memory_order_relaxed); }

void call::drop_failures(chunk& entry, unsigned heap_slot) noexcept {
  failure_record* one = std::exchange(entry.failures, nullptr);
  // As many as there can be: a damaged list could be a ring.
  for (std::uint64_t seen = 0; one != nullptr && seen < entry.last - entry.first; ++seen) {
    if (!desk_.memory.owned_by(heap_slot, one, sizeof *one)) return;
    failure_record* const next = one->next;
    desk_.free_chain(one->frame, heap_slot);
    desk_.memory.deallocate(one);
    one = next;
  }
}

// ---- Deaths -----------------------------------------------------------------------------------------------------------

void call::again(handout& what, unsigned attempt) {
  ++counted.happened.retries;
  chunk& entry = desk_.entry(what.sequence);
  entry.reached = entry.resume;
  publish_again(desk_.table, what.sequence, std::min(attempt, max_attempts), ++desk_.generation);
  wake_one(desk_.table);
}

bool call::lost(handout& what, unsigned worker, const death& how) {
  breakpoint(point::replace_before);
  chunk& entry = desk_.entry(what.sequence);
  what.heap_slot = desk_.workers.heap_slot(worker);
  const std::uint64_t cursor = desk_.table.slots[worker].cursor.load(std::memory_order_relaxed);
  const std::uint64_t first = std::clamp(what.first + (cursor >> 16), what.first, what.last);
  const std::uint64_t last = std::clamp(first + (cursor & 0xffff), first, what.last);
  const bool begun = last > first;
  if (counted.recording()) {
    timeline_event died{.what = timeline_event::kind::worker_died, .worker = worker, .slice = job_.named(first)};
    died.text = how.told_briefly();
    counted.add_event(std::move(died), now_ns());
  }
  if (begun) count_lost(entry, first, last, worker, how);
  desk_.free_chain(std::exchange(entry.out, nullptr), what.heap_slot);
  if (job_.in_place) {
    // What was eaten before the block stays eaten, and failures told so far stay told.
    take_failures(entry, what);
  } else {
    drop_failures(entry, what.heap_slot);
  }
  if (doomed_) {
    stop(nullptr);
    abandon(what);
    return begun;
  }
  if (!begun) {
    if (job_.in_place) entry.resume = what.resume = std::max(what.resume, first);
    again(what, desk_.word(what.sequence).attempt());
    return false;
  }
  return job_.in_place ? crashed_in_place(what, first, last, worker, how)
                       : crashed_by_copy(what, first, last, worker, how);
}

// It computed until it died, although nothing came of it: who hung did not wait for work.
void call::count_lost(const chunk& entry, std::uint64_t first, std::uint64_t last, unsigned worker, const death& how) {
  // The worker wrote these, perhaps after it had gone mad: tally asks whether they can be.
  const std::uint64_t block_began =
      how.late && options_.timeout.count() > 0 && last - first == 1
          ? how.ended_ns - std::min(how.ended_ns, static_cast<std::uint64_t>(options_.timeout.count()))
          : entry.ended_ns;
  const std::uint64_t began = entry.began_ns != 0 ? std::min(entry.began_ns, block_began) : block_began;
  const std::size_t named = job_.named(first);
  counted.add_lost({.worker = worker,
                    .first = named,
                    .count = job_.named(last) - named,
                    .began = began,
                    .ended = std::max(how.ended_ns, block_began)},
                   block_began);
}

slice_failure call::failure_of(std::uint64_t first, std::uint64_t last, unsigned worker, unsigned used,
                               const death& how, bool in_place) const {
  return how.told(job_.named(first), job_.named(last), worker, used, options_.attempts, options_.timeout,
                  {job_.verb, in_place && job_.mutates, job_.pull == nullptr ? job_.all() : SIZE_MAX});
}

bool call::crashed_by_copy(handout& what, std::uint64_t first, std::uint64_t last, unsigned worker, const death& how) {
  chunk& entry = desk_.entry(what.sequence);
  entry.suspect_first = first;
  entry.suspect_last = last;
  if (last - first > 1) {
    // Which one was it? Run the block slice by slice; that names it.
    again(what, 1);
    return true;
  }
  const unsigned used = ++attempts_[first];
  if (used < options_.attempts) {
    again(what, used + 1);
    return true;
  }
  fail(what, {first, failure_of(first, last, worker, used, how, false)});
  if (job_.keep_going) {
    // The list is replaced, not changed: nobody reads it while no worker holds the chunk, and it stays in order.
    shared_vector<std::uint64_t> skip;
    const std::size_t had = what.skip.empty() ? 0 : what.skip[0];
    skip.push_back(had + 1);
    for (std::size_t i = 1; i <= had; ++i) skip.push_back(what.skip[i]);
    skip.push_back(first);
    std::sort(skip.begin() + 1, skip.end());
    what.skip = std::move(skip);
    entry.skip = what.skip.data();
  }
  again(what, 1);
  return true;
}

bool call::crashed_in_place(handout& what, std::uint64_t first, std::uint64_t last, unsigned worker, const death& how) {
  chunk& entry = desk_.entry(what.sequence);
  entry.suspect_first = entry.suspect_last = 0;
  unsigned used = 0;
  for (std::uint64_t slice = first; slice < last; ++slice) used = std::max(used, ++attempts_[slice]);
  if (used < options_.attempts && put_back(first, last, worker)) {
    entry.resume = what.resume = first;
    entry.suspect_first = first;
    entry.suspect_last = last;
    again(what, used + 1);
    return true;
  }
  slice_failure failure = failure_of(first, last, worker, used, how, true);
  for (std::uint64_t slice = first; slice < last; ++slice) {
    failure.slice = job_.named(slice);
    fail(what, {slice, failure});
  }
  entry.resume = what.resume = last;
  again(what, 1);
  return true;
}

// Undoes what a dead worker may have done to slices [first, last). False: it cannot be undone.
bool call::put_back(std::uint64_t first, std::uint64_t last, unsigned worker) {
  if (!job_.mutates) return true;
  const block_of_memory block = job_.locate(job_.plan, first, last);
  const std::byte* const kept = desk_.table.slots[worker].undo.load(std::memory_order_relaxed);
  if (!desk_.memory.owned_by(desk_.workers.heap_slot(worker), kept, block.bytes)) return false;
  std::memcpy(block.data, kept, block.bytes);
  return true;
}

}  // namespace forkful::detail
