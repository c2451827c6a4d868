// What a call does about chunks that are back: takes over what their workers left, and hands their results to the verb in order.
//
// Owns nothing of its own; with recovery.cpp, which is about those that failed, the second half of call.hpp. Taking back is behind the
// coordinator's mutex; decoding is user code, on the caller's thread, with the mutex released. Nothing a worker wrote is believed before it is
// checked (docs/protocol.md, 11).
#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "backends/elsewhere/call.hpp"
#include "backends/elsewhere/result_pieces.hpp"
#include "board/pace.hpp"
#include "errors/exceptions.hpp"

namespace forkful::detail {

bool call::is_want_of_memory(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const arena_exhausted&) {
    return true;
  } catch (const std::bad_alloc&) {
    return true;
  } catch (...) {
    return false;
  }
}

slice_failure call::describe(const std::exception_ptr& thrown, std::size_t slice, unsigned worker) {
  try {
    std::rethrow_exception(thrown);
  } catch (...) {
    return capture_exception(slice, worker, 1);
  }
}

void call::take_back(chunk_in_flight& what) {
  if (kill_asked_) {  // done in the very moment: the caller was promised that it is cancelled
    stop(nullptr);
    abandon(what);
    return;
  }
  chunk& entry = board_.entry(what.sequence);
  const chunk_word word = board_.word(what.sequence);
  what.worker = word.worker();
  what.incarnation = word.incarnation();
  what.heap_slot = board_.workers.heap_slot(what.worker);
  take_failures(entry, what, what.last);
  what.reached = std::clamp(entry.reached, what.resume, what.last);
  count(entry, what);
  take_results(what);
  what.where = chunk_in_flight::stage::back;
  if (job_.pull != nullptr && entry.ran_ns < long_enough_ns && what.last - what.first >= lazy_size_) {
    lazy_wanted_ = lazy_size_ * 2;
  }
  board_.clear(what.sequence);
}

// Only a line that says something else is written: it is about to travel to a worker again.
void call::take_results(chunk_in_flight& what) noexcept {
  if (!job_.results) return;
  chunk_frames& frames = board_.frames(what.sequence);
  what.out_here.assign(frames.output.data(), frames.out.used);
  what.out = frames.out.next;
  if (what.out != nullptr) frames.out.next = nullptr;
}

void call::count(const chunk& entry, const chunk_in_flight& what) {
  const std::uint64_t ran = std::min(entry.ran_ns, entry.ended_ns - std::min(entry.ended_ns, entry.began_ns));
  const std::size_t first = job_.named(what.resume);
  const auto part = [ran](std::uint16_t share) { return (ran * share) >> 16; };
  counted.add({what.worker, first, job_.named(what.reached) - first, entry.began_ns, entry.ended_ns, ran,
               part(entry.in_share), part(entry.out_share)});
  if (entry.began_ns == 0) return;
  ran_ns += ran;
  ran_slices += what.reached - what.resume;
  const chunk_note& note = board_.table.note(what.sequence);
  const bool asked = (entry.noted & chunk_note::memory) != 0;
  // Since the last note: that may have been more than this chunk.
  const std::chrono::nanoseconds off_core(asked ? std::min(note.off_core_ns, ran) : 0);
  if (counted.may_be_slow(ran)) {
    slow_slices slow{first, job_.named(what.reached) - first, what.worker, std::chrono::nanoseconds(ran)};
    if ((entry.noted & chunk_note::slowest) != 0) {
      const std::uint64_t from = std::clamp(note.slow_first, what.resume, what.reached);
      const std::uint64_t to = std::clamp(from + note.slow_count, from, what.reached);
      slow = {job_.named(from), job_.named(to) - job_.named(from), what.worker,
              std::chrono::nanoseconds(std::min(note.slow_ns, ran))};
    }
    slow.off_core = std::min(off_core, slow.time);
    counted.add_slow(slow);
  }
  if (!asked) return;
  counted.add_memory(what.worker, note.page_faults, note.peak_memory, note.peak_private);
  counted.add_off_core(what.worker, off_core);
}

bool call::collect(const std::shared_ptr<call>& self, std::unique_lock<std::mutex>& lock, const wait_policy& how_long) {
  bool any = false;
  for (auto what = in_flight_.begin(); what != in_flight_.end();) {
    if (what->where == chunk_in_flight::stage::on_board && board_.done(what->sequence)) {
      counted.watch.enter(stopwatch::phase::reassemble);
      take_back(*what);
    }
    if (what->where != chunk_in_flight::stage::back) {
      if (!job_.unordered) break;
      ++what;
      continue;
    }
    counted.watch.enter(stopwatch::phase::reassemble);
    any = true;
    if (!skipped_for_nothing(*what)) {
      collect_one(*what, lock);
    } else {
      free_results(*what);
      run_again(*what, job_.in_place ? what->reached : what->resume);
    }
    if (what->where ==
        chunk_in_flight::stage::waiting) {  // its rest runs once more, and comes back before anything else
      publish_waiting(self);
      break;
    }
    ran_ += what->reached - std::min(what->reached, what->collect_from);
    if (what->reached < what->last) completion_.missing(what->reached);
    collected_ = job_.unordered ? collected_ + (what->last - what->collect_from) : what->last;
    free_input(*what);
    what = in_flight_.erase(what);
    if (how_long.met()) break;
  }
  return any;
}

// Skipped for a failure that then did not come about: its worker died before it could be reported, and the slice went
// well the second time.
bool call::skipped_for_nothing(const chunk_in_flight& what) const noexcept {
  const bool failed_before = completion_.lowest_slice() < what.reached;
  return what.reached < what.last && what.reached < limit_ && what.failures.empty() && !failed_before &&
         !completion_.has_reason();
}

void call::collect_one(chunk_in_flight& what, std::unique_lock<std::mutex>& lock) {
  // The slice that used up its attempts by crashing was not run again: it is not among what is collected.
  std::erase_if(what.failures, [&](const failed_slice& one) { return one.slice >= what.reached; });
  describe_crashes(what, lock);
  if (job_.collect != nullptr && !completion_.has_reason()) {
    std::size_t taken = 0;
    lock.unlock();
    const std::exception_ptr thrown = decode(what, taken);
    lock.lock();
    if (thrown != nullptr) refuse(what, what.collect_from + taken, thrown, lock);
  }
  free_results(what);
}

// The result of slice `bad` could not be taken. What follows it in the frame is lost, because it is not known where
// that begins: those slices run again.
void call::refuse(chunk_in_flight& what, std::uint64_t bad, const std::exception_ptr& thrown,
                  std::unique_lock<std::mutex>& lock) {
  if (bad >= what.reached || is_want_of_memory(thrown)) {  // no slice is to blame
    stop(thrown);
    return;
  }
  std::erase_if(what.failures, [&](const failed_slice& one) { return one.slice <= bad; });
  fail(what, {bad, describe(thrown, job_.named(bad), what.worker)});
  const std::vector<failed_slice> alone{what.failures.back()};
  // Those that run again may succeed this time; only those that used up their attempts do not run.
  std::erase_if(what.failures, [&](const failed_slice& one) { return one.slice == bad || !what.given_up(one.slice); });
  const bool goes_on = bad + 1 < what.last && bad + 1 < limit_;
  if (job_.keep_going) {
    lock.unlock();
    source nothing(nullptr, 0);
    std::size_t taken = 0;
    job_.collect(job_.caller, {bad, bad + 1, &nothing, nullptr, &alone, &taken});
    if (!goes_on) completion_.collect_cancelled(bad + 1, what.last);
    lock.lock();
  }
  collected_ = job_.unordered ? collected_ + (bad + 1 - what.collect_from) : bad + 1;
  ran_ += bad + 1 - what.collect_from;
  what.collect_from = bad + 1;
  if (goes_on) run_again(what, what.collect_from);
}

// Runs slices from `from` on once more; the results before are collected, or lost.
void call::run_again(chunk_in_flight& what, std::uint64_t from) noexcept {
  ++counted.happened.retries;
  what.where = chunk_in_flight::stage::waiting;
  what.resume = from;
  ++waiting_;
}

// Hands the chunk's results to the verb. Returns what that threw; `taken` says how many slices it got to.
std::exception_ptr call::decode(chunk_in_flight& what, std::size_t& taken) {
  try {
    small_segment<sizeof(chunk_frames::output)> here;
    here.head = {what.out, what.out_here.size(), what.out_here.size()};
    std::memcpy(here.head.data(), what.out_here.data(), what.out_here.size());
    parent_board::memory_of_worker of_worker{&board_.memory, what.heap_slot, std::as_bytes(std::span(&here, 1))};
    result_pieces of_results(board_.memory, what.out, what.heap_slot);
    source results(here.head.used != 0 ? &here.head : what.out, of_worker.bounds());
    results.adopting(true);
    counted.happened.bytes_out += job_.results ? results.remaining() : 0;
    job_.collect(job_.caller, {what.collect_from, what.reached, &results, nullptr, &what.failures, &taken,
                               &result_pieces::keep, &of_results});
    counted.happened.bytes_shared += results.adopted();
    completion_.collect_cancelled(what.reached, what.last);
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

void call::free_results(chunk_in_flight& what) noexcept {
  what.out_here.clear();
  board_.free_chain(std::exchange(what.out, nullptr), what.heap_slot,
                    board_.workers.lives(what.worker, what.incarnation));
}

}  // namespace forkful::detail
