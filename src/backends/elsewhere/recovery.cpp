// What a call does about slices that failed and workers that died: the second half of call.hpp.
//
// Owns nothing of its own. All of it runs behind the coordinator's mutex, but for the naming of crashes, and what a worker left is read
// only when its chunk is done or its process has ended (docs/protocol.md, 2, 6, 7, 11).
#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <new>
#include <utility>

#include "backends/elsewhere/call.hpp"
#include "errors/exceptions.hpp"
#include "os/breakpoint.hpp"
#include "os/cpu.hpp"

namespace forkful::detail {

// ---- Failures ---------------------------------------------------------------------------------------------------------

// Moves the failures a worker recorded in the chunk into the parent's own memory: of slices below `end`. The others come to nothing:
// their worker has died, and they run again.
void call::take_failures(chunk& entry, chunk_in_flight& what, std::uint64_t end) {
  parent_board::memory_of_worker of_worker{&board_.memory, what.heap_slot};
  failure_record* one = std::exchange(entry.failures, nullptr);
  for (std::uint64_t seen = 0; one != nullptr && seen < what.last - what.first; ++seen) {
    if (!board_.memory.owned_by(what.heap_slot, one, sizeof *one)) break;
    failure_record* const next = one->next;
    const std::uint64_t slice = std::clamp(one->slice, what.first, what.last - 1);
    try {
      source frame(one->frame, of_worker.bounds());
      if (slice < end) fail(what, {slice, frame.read<slice_failure>()});
    } catch (const codec_error& error) {
      slice_failure failure;
      failure.kind = failure_kind::codec;
      failure.what = error.what();
      failure.slice = job_.named(slice);
      fail(what, {slice, std::move(failure)});
    }
    board_.free_chain(one->frame, what.heap_slot);
    board_.memory.deallocate(one);
    one = next;
  }
  std::sort(what.failures.begin(), what.failures.end(),
            [](const failed_slice& a, const failed_slice& b) { return a.slice < b.slice; });
}

// False: it was known.
bool call::note_failure(chunk_in_flight& what, failed_slice failed, std::function<slice_failure()> in_full) {
  const auto same = [&](const failed_slice& other) { return other.slice == failed.slice; };
  if (std::any_of(what.failures.begin(), what.failures.end(), same)) return false;
  completion_.fail(failed.slice, failed.failure, std::move(in_full));
  if (!job_.keep_going) set_limit(failed.slice);
  what.failures.push_back(std::move(failed));
  return true;
}

void call::fail(chunk_in_flight& what, failed_slice failed) {
  if (note_failure(what, std::move(failed))) counted.add_failure(what.failures.back().failure, now_ns());
}

void call::fail(chunk_in_flight& what, std::uint64_t slice, const std::shared_ptr<crash>& how) {
  const std::size_t named = job_.named(slice);
  if (note_failure(what, {slice, how->in_brief(named)}, [how, named] { return how->in_full(named); })) {
    undescribed_[slice] = {how, now_ns()};
  }
}

// The failures of this chunk that are crashes, in full: that takes milliseconds, so the mutex is released.
void call::describe_crashes(chunk_in_flight& what, std::unique_lock<std::mutex>& lock) {
  if (undescribed_.empty()) return;
  for (failed_slice& one : what.failures) {
    const auto found = undescribed_.find(one.slice);
    if (found == undescribed_.end()) continue;
    const undescribed_crash mine = std::move(found->second);
    undescribed_.erase(found);
    lock.unlock();
    breakpoint(point::crash_described);
    try {
      one.failure = mine.how->in_full(job_.named(one.slice));
    } catch (const std::bad_alloc&) {
      // The failure in brief is true as well.
    }
    lock.lock();
    counted.add_failure(one.failure, mine.at);
  }
}

void call::set_limit(std::uint64_t slice) noexcept {
  limit_ = std::min(limit_, slice);
  shared_->limit.store(limit_, std::memory_order_relaxed);
}

void call::limit_workers(std::uint64_t slice) noexcept {
  // Workers only: the call's own limit waits for the failure itself, because its worker may die before it is reported.
  if (job_.keep_going) return;
  const std::uint64_t announced = shared_->limit.load(std::memory_order_relaxed);
  shared_->limit.store(std::min({limit_, slice, announced}), std::memory_order_relaxed);
}

void call::forget_announced_failures() noexcept { shared_->limit.store(limit_, std::memory_order_relaxed); }

void call::drop_failures(chunk& entry, unsigned heap_slot) noexcept {
  failure_record* one = std::exchange(entry.failures, nullptr);
  // As many as there can be: a damaged list could be a ring.
  for (std::uint64_t seen = 0; one != nullptr && seen < entry.last - entry.first; ++seen) {
    if (!board_.memory.owned_by(heap_slot, one, sizeof *one)) return;
    failure_record* const next = one->next;
    board_.free_chain(one->frame, heap_slot);
    board_.memory.deallocate(one);
    one = next;
  }
}

void call::drop_results(std::uint64_t sequence, unsigned heap_slot, bool worker_lives) noexcept {
  if (!job_.results) return;
  segment& out = board_.frames(sequence).out;
  board_.free_chain(std::exchange(out.next, nullptr), heap_slot, worker_lives);
  out.used = 0;
}

// ---- Deaths -----------------------------------------------------------------------------------------------------------

// Publishes the chunk's entry again, whose holder has ended. `ran`: slices that had run or begun are run once more.
void call::again(chunk_in_flight& what, unsigned attempt, bool ran) {
  if (ran) ++counted.happened.retries;
  chunk& entry = board_.entry(what.sequence);
  entry.last = what.last;  // nearer, where its worker had been relieved of the rest
  no_answer(entry, what.sequence);
  publish_again(board_.table, what.sequence, std::min(attempt, max_attempts), ++board_.generation);
  wake_one(board_.table);
}

bool call::worker_died(chunk_in_flight& what, unsigned worker, const death& how) {
  breakpoint(point::replace_before);
  chunk& entry = board_.entry(what.sequence);
  what.worker = worker;
  what.incarnation = board_.word(what.sequence).incarnation();
  what.heap_slot = board_.workers.heap_slot(worker);
  const std::uint64_t cursor = board_.table.slots[worker].cursor.load(std::memory_order_relaxed);
  const std::uint64_t first = std::clamp(what.first + (cursor >> 16), std::max(what.first, what.resume), what.last);
  const std::uint64_t last = std::clamp(first + (cursor & 0xffff), first, what.last);
  const bool begun = last > first;
  if (counted.recording()) {
    timeline_event died{.what = timeline_event::kind::worker_died, .worker = worker, .slice = job_.named(first)};
    died.text = how.brief_failure();
    counted.add_event(std::move(died), now_ns());
  }
  if (begun) count_lost(first, last, worker, how);
  if (kill_asked_) {
    stop(nullptr);
    abandon(what);
    return begun;
  }
  if (begun) {
    // From now on a crash is to show which slice it was, whatever naming each costs.
    board_.crashed = true;
    shared_->name_each.store(true, std::memory_order_relaxed);
    if (job_.in_place) {
      crashed_in_place(what, first, last, worker, how);
    } else {
      crashed_by_copy(what, first, last, worker, how);
    }
    return true;
  }
  if (job_.in_place) {
    // What was run before stays, and failures reported so far stay reported.
    drop_results(what.sequence, what.heap_slot);
    take_failures(entry, what, first);
    entry.resume = what.resume = std::max(what.resume, first);
  } else {
    drop_results(what.sequence, what.heap_slot);
    drop_failures(entry, what.heap_slot);
  }
  again(what, board_.word(what.sequence).attempt(), false);
  return false;
}

// It computed until it died, although nothing came of the last slices: a worker that hung did not wait for work. What it had run before
// is counted where it comes back.
void call::count_lost(std::uint64_t first, std::uint64_t last, unsigned worker, const death& how) {
  // The worker wrote these, perhaps after it had gone mad: tally asks whether they can be.
  const std::uint64_t block_began =
      how.late && options_.timeout.count() > 0 && last - first == 1
          ? how.ended_ns - std::min(how.ended_ns, static_cast<std::uint64_t>(options_.timeout.count()))
          : board_.table.slots[worker].ended.load(std::memory_order_relaxed);
  const std::size_t named = job_.named(first);
  counted.add_lost({.worker = worker,
                    .first = named,
                    .count = job_.named(last) - named,
                    .began = block_began,
                    .ended = std::max(how.ended_ns, block_began)},
                   block_began);
}

std::shared_ptr<crash> call::crash_of(std::uint64_t first, std::uint64_t last, unsigned worker, unsigned used,
                                      const death& how, bool in_place) const {
  return std::make_shared<crash>(
      how, crash::slices{job_.named(first), job_.named(last)}, worker, used, options_,
      failing_call{job_.verb, in_place && job_.mutates, job_.pull == nullptr ? job_.all() : SIZE_MAX});
}

// Leaves the slices from `cut` on to a chunk of their own, behind it in the list; both own the input. Returns that.
chunk_in_flight& call::split(chunk_in_flight& what, std::uint64_t cut) {
  if (what.in != nullptr && what.shared_in == nullptr) {
    // Made before it owns anything: a std::shared_ptr that finds no memory for itself would free the input, which `what` still has.
    struct owned_frame {
      explicit owned_frame(call& owner) noexcept : of(owner) {}
      owned_frame(const owned_frame&) = delete;
      owned_frame& operator=(const owned_frame&) = delete;
      ~owned_frame() { of.free_frame(frame); }
      call& of;
      segment* frame = nullptr;
    };
    auto owned = std::make_shared<owned_frame>(*this);
    owned->frame = what.in;
    what.shared_in = std::move(owned);
  }
  // What used up its attempts before is not run with the rest. Both keep the list: the front may have to run again as well.
  shared_vector<std::uint64_t> skip(what.skip.begin(), what.skip.end());
  const auto behind = std::find_if(what.failures.begin(), what.failures.end(),
                                   [&](const failed_slice& one) { return one.slice >= cut; });
  std::vector<failed_slice> later;
  later.reserve(
      static_cast<std::size_t>(what.failures.end() - behind));  // all memory first: nothing moves if there is none
  const auto here =
      std::find_if(in_flight_.begin(), in_flight_.end(), [&](const chunk_in_flight& one) { return &one == &what; });
  chunk_in_flight& rest = *in_flight_.emplace(std::next(here));
  std::move(behind, what.failures.end(), std::back_inserter(later));
  what.failures.erase(behind, what.failures.end());
  rest.first = what.first;
  rest.last = std::exchange(what.last, cut);
  rest.collect_from = rest.resume = cut;
  rest.in = what.in;
  rest.in_here = what.in_here;
  rest.shared_in = what.shared_in;
  rest.skip = std::move(skip);
  rest.failures = std::move(later);
  return rest;
}

// The slices below `cut` are done with: those below `ran` have run, and their results are what the dead worker left in the frame:
// they come back. The rest, if there is one that is to be run, goes on the board again in the same entry, as a chunk of its own.
// Returns that; null: there is none.
chunk_in_flight* call::part(chunk_in_flight& what, std::uint64_t cut, std::uint64_t ran) {
  chunk& entry = board_.entry(what.sequence);
  const bool ends = cut == what.last || cut >= limit_;
  if (cut == what.resume && !ends) {
    drop_results(what.sequence, what.heap_slot);
    take_failures(entry, what, cut);
    return &what;
  }
  take_failures(entry, what, cut);
  chunk_in_flight* rest = nullptr;
  if (!ends) {
    rest = &split(what, cut);
    rest->where = chunk_in_flight::stage::on_board;
    rest->sequence = what.sequence;
  }
  // The worker did not come to report the chunk.
  const worker_slot& slot = board_.table.slots[what.worker];
  entry.began_ns = slot.began.load(std::memory_order_relaxed);
  entry.ended_ns = slot.ended.load(std::memory_order_relaxed);
  entry.ran_ns = entry.began_ns == 0 ? 0 : entry.ended_ns - std::min(entry.ended_ns, entry.began_ns);
  entry.in_share = entry.out_share = 0;
  entry.noted = 0;
  what.reached = ran;
  if (ran != what.resume) count(entry, what);
  what.reached = cut;
  take_results(what);
  what.where = chunk_in_flight::stage::back;
  if (rest == nullptr) {
    board_.clear(what.sequence);
    return nullptr;
  }
  board_.at(rest->sequence).what = rest;
  entry.suspect_first = entry.suspects = 0;
  entry.skip = rest->skip.empty() ? nullptr : rest->skip.data();
  entry.resume = cut;
  return rest;
}

void call::crashed_by_copy(chunk_in_flight& what, std::uint64_t first, std::uint64_t last, unsigned worker,
                           const death& how) {
  unsigned used = 0;  // attempts of the slice, if it is known which it was
  if (last - first == 1) {
    used = ++attempts_[first];
    if (used >= options_.attempts) {
      fail(what, first, crash_of(first, last, worker, used, how, false));
      if (job_.keep_going) give_up(what, first);
      if (chunk_in_flight* const rest = part(what, last, first); rest != nullptr) again(*rest, 1, false);
      return;
    }
  }
  chunk_in_flight* const rest = part(what, first, first);
  if (rest == nullptr) return;
  // It was one of several slices: they are run one by one, which names it.
  chunk& entry = board_.entry(rest->sequence);
  entry.suspect_first = first;
  entry.suspects = static_cast<std::uint32_t>(last - first);
  again(*rest, used + 1, true);
}

// The slice is not to be run again, should its results be lost and those around it run once more.
void call::give_up(chunk_in_flight& what, std::uint64_t slice) {
  // The list is replaced, not changed: it is not read while no worker holds the chunk, and it stays in order.
  shared_vector<std::uint64_t> skip;
  const std::size_t had = what.skip.empty() ? 0 : what.skip[0];
  skip.push_back(had + 1);
  for (std::size_t i = 1; i <= had; ++i) skip.push_back(what.skip[i]);
  skip.push_back(slice);
  std::sort(skip.begin() + 1, skip.end());
  what.skip = std::move(skip);
}

void call::crashed_in_place(chunk_in_flight& what, std::uint64_t first, std::uint64_t last, unsigned worker,
                            const death& how) {
  chunk& entry = board_.entry(what.sequence);
  drop_results(what.sequence, what.heap_slot);
  unsigned used = 0;
  for (std::uint64_t slice = first; slice < last; ++slice) used = std::max(used, ++attempts_[slice]);
  if (used < options_.attempts && put_back(first, last, worker)) {
    take_failures(entry, what, first);
    entry.resume = what.resume = first;
    entry.suspect_first = first;
    entry.suspects = static_cast<std::uint32_t>(last - first);
    again(what, used + 1, true);
    return;
  }
  const std::shared_ptr<crash> crash = crash_of(first, last, worker, used, how, true);
  for (std::uint64_t slice = first; slice < last; ++slice) fail(what, slice, crash);
  if (chunk_in_flight* const rest = part(what, last, first); rest != nullptr) again(*rest, 1, false);
}

// Undoes what a dead worker may have done to slices [first, last). False: it cannot be undone.
bool call::put_back(std::uint64_t first, std::uint64_t last, unsigned worker) {
  if (!job_.mutates) return true;
  const block_of_memory block = job_.locate(job_.plan, first, last);
  const std::byte* const saved = board_.table.slots[worker].undo.load(std::memory_order_relaxed);
  if (!board_.memory.owned_by(board_.workers.heap_slot(worker), saved, block.bytes)) return false;
  std::memcpy(block.data, saved, block.bytes);
  return true;
}

}  // namespace forkful::detail
