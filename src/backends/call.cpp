#include "backends/call.hpp"

#include <algorithm>
#include <cstring>

#include "board/chunking.hpp"
#include "errors/exceptions.hpp"
#include "os/breakpoint.hpp"
#include "os/cpu.hpp"

namespace forkful::detail {

namespace {

// Input encoded ahead of the workers: enough to keep them busy, little enough to be warm memory when it is used again.
constexpr std::size_t frame_window = std::size_t{16} << 20;
constexpr std::uint64_t long_enough_ns = 50'000;    // for a chunk of an input of unknown length
constexpr std::uint64_t progress_ns = 100'000'000;  // at most ten times a second
constexpr std::size_t most_at_once = 256;           // slices reported as cancelled in one go

struct bounds_of_worker {
  arena* memory;
  unsigned heap_slot;
};

bool owned_by_worker(void* self, const void* address, std::size_t bytes) {
  const auto& bounds = *static_cast<const bounds_of_worker*>(self);
  return bounds.memory->owned_by(bounds.heap_slot, address, bytes);
}

bool is_want_of_memory(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const arena_exhausted&) {
    return true;
  } catch (...) {
    return false;
  }
}

// Frees a chain that lies in the memory of that worker. A damaged chain could be a ring: nothing a worker wrote is longer than
// the arena.
void free_chain(arena& memory, segment* chain, unsigned heap_slot) noexcept {
  for (std::size_t freed = 0; chain != nullptr && freed < memory.size();) {
    if (!memory.owned_by(heap_slot, chain, sizeof(segment))) return;
    segment* const next = chain->next;
    freed += memory.block_size(chain);
    memory.deallocate(chain);
    chain = next;
  }
}

}  // namespace

segment_memory segments_of(arena& memory) noexcept {
  return {&memory,
          [](void* self, std::size_t capacity) {
            auto* made = new (static_cast<arena*>(self)->allocate(sizeof(segment) + capacity, 64)) segment{};
            made->capacity = capacity;
            return made;
          },
          [](void* self, segment* piece) noexcept { static_cast<arena*>(self)->deallocate(piece); }};
}

void desk::part_with(std::shared_ptr<call> owner) noexcept {
  if (owner == nullptr || owner.use_count() > 1) return;
  owner->next_parting = std::move(parting);
  parting = std::move(owner);
}

call::call(desk& where, job& work, const call_options& options, std::uint64_t number, std::shared_ptr<void> owner)
    : desk_(where),
      job_(work),
      owner_(std::move(owner)),
      options_(options),
      limit_(~std::uint64_t{0}),
      input_ended_(work.pull == nullptr),
      began_ns_(now_ns()),
      told_ns_(began_ns_) {
  shared_ = new (desk_.memory.allocate(sizeof(shared_job), alignof(shared_job))) shared_job{};
  shared_->id = number;
  shared_->run = job_.run;
  shared_->skip = job_.skip;
  shared_->plan = job_.plan;
  shared_->timeout_ns = static_cast<std::uint64_t>(options_.timeout.count());
  shared_->results = job_.results;
  shared_->one_at_a_time = job_.one_at_a_time;
  shared_->keep_going = job_.keep_going;
  shared_->undo = job_.mutates && options_.attempts > 1;
  shared_->locate = job_.locate;
  shared_->limit.store(limit_, std::memory_order_relaxed);
}

call::~call() {
  for (handout& what : handouts_) {
    free_chain(desk_.memory, what.out, what.heap_slot);
    free_input(what);
  }
  desk_.memory.deallocate(shared_);
}

// ---- Handing out ----------------------------------------------------------------------------------------------------

bool call::more_input() const noexcept {
  return reason_ == nullptr && next_slice_ < limit_ && (!input_ended_ || next_slice_ < job_.slices);
}

// How many slices the next chunk takes; 0: none now.
std::size_t call::next_size() const noexcept {
  return static_cast<std::size_t>(std::min<std::uint64_t>(wished_size(), desk_.workers.largest_chunk()));
}

std::size_t call::wished_size() const noexcept {
  const std::uint64_t out = handouts_.size();
  const unsigned workers = desk_.table.workers;
  if (out >= starved_by_) return 0;
  if (frame_bytes_ > frame_window && out >= 2 * std::uint64_t{workers}) return 0;
  if (one_by_one_) return 1;
  if (job_.pull == nullptr) {
    if (out >= ring_size) return 0;
    return next_chunk(job_.slices, job_.slices - next_slice_, workers, options_.chunk, job_.slice_bytes);
  }
  std::size_t size = options_.chunk != 0 ? options_.chunk : lazy_size_;
  if (job_.slices > next_slice_) {  // how many are to come is known
    size = std::min(job_.slices - next_slice_,
                    next_chunk(job_.slices, job_.slices - next_slice_, workers, options_.chunk, job_.slice_bytes));
  }
  if (options_.window == 0) return out < 2 * std::uint64_t{workers} ? size : 0;
  // At least two chunks a worker share the window, so that nobody waits while one is collected.
  const std::uint64_t ahead = next_slice_ - collected_;
  const std::size_t share = std::max<std::size_t>(1, options_.window / (2 * std::size_t{workers}));
  if (ahead >= options_.window) return 0;
  return std::min({size, share, static_cast<std::size_t>(options_.window - ahead)});
}

bool call::feed(const std::shared_ptr<call>& self, std::unique_lock<std::mutex>& lock) {
  if (publish_waiting(self)) return true;
  if (waiting_ != 0 || !more_input() || next_size() == 0) return false;
  encode_next(lock);
  publish_waiting(self);
  return true;
}

void call::encode_next(std::unique_lock<std::mutex>& lock) {
  std::size_t size = next_size();
  lock.unlock();
  std::exception_ptr thrown;
  sink frame(segments_of(desk_.memory));
  std::size_t copied = 0;
  bool at_encoding = false;
  try {
    if (job_.pull != nullptr && !one_by_one_) size = job_.pull(job_.caller, size);
    at_encoding = true;
    if (job_.encode != nullptr && size != 0) copied = job_.encode(job_.caller, next_slice_, next_slice_ + size, frame);
  } catch (...) {
    thrown = std::current_exception();
  }
  lock.lock();
  if (size == 0 && thrown == nullptr) {
    input_ended_ = true;
    job_.slices = next_slice_;
    return;
  }
  if (thrown != nullptr && !at_encoding) {
    // The input itself failed: what it gave before is still eaten, then this is thrown.
    input_ended_ = true;
    job_.slices = next_slice_;
    reason_at_end_ = thrown;
    return;
  }
  if (thrown != nullptr && size > 1) {
    one_by_one_ = true;
    one_by_one_to_ = next_slice_ + size;
    return;
  }
  if (thrown != nullptr && !handouts_.empty() && is_want_of_memory(thrown)) {
    starved_by_ = handouts_.size();
    return;
  }
  starved_by_ = SIZE_MAX;
  handout& what = handouts_.emplace_back();
  what.first = what.collect_from = what.resume = next_slice_;
  what.last = next_slice_ + size;
  next_slice_ += size;
  if (one_by_one_ && next_slice_ == one_by_one_to_) one_by_one_ = false;
  if (thrown != nullptr) {
    try {
      std::rethrow_exception(thrown);
    } catch (...) {
      fail(what, {what.first, capture_exception(job_.named(what.first), 0, 1)});
    }
    what.where = handout::place::back;
    what.reached = what.last;
    return;
  }
  happened.bytes_in += copied;
  frame_bytes_ += frame.size();
  what.in = frame.take();
  if (job_.pull != nullptr && options_.chunk == 0) lazy_size_ = std::max(lazy_size_, lazy_wish_);
  ++happened.chunks;
  ++waiting_;
}

// Puts what waits for room on the board.
bool call::publish_waiting(const std::shared_ptr<call>& self) {
  // Without workers nothing would ever come back: whoever carries the call on stops it first.
  if (desk_.closed && reason_ == nullptr) return false;
  bool any = false;
  for (auto what = handouts_.begin(); waiting_ != 0 && what != handouts_.end() && !desk_.full(); ++what) {
    if (what->where != handout::place::waiting) continue;
    --waiting_;
    if (what->resume >= limit_ || reason_ != nullptr) {  // nobody is to eat it any more
      what->where = handout::place::back;
      what->reached = what->resume;
      any = true;
      continue;
    }
    const std::uint64_t sequence = desk_.head();
    chunk& entry = desk_.entry(sequence);
    entry.job = shared_;
    entry.first = what->first;
    entry.last = what->last;
    entry.in = what->in;
    entry.suspect_first = entry.suspect_last = 0;
    entry.skip = what->skip.empty() ? nullptr : what->skip.data();
    entry.out = nullptr;
    entry.failures = nullptr;
    entry.reached = entry.resume = what->resume;
    what->where = handout::place::on_board;
    what->sequence = sequence;
    desk_.at(sequence) = {self, &*what};
    publish_chunk(desk_.table, 1, ++desk_.generation);
    any = true;
  }
  return any;
}

// ---- Taking back ----------------------------------------------------------------------------------------------------

void call::take_back(handout& what) {
  chunk& entry = desk_.entry(what.sequence);
  what.worker = desk_.word(what.sequence).worker();
  what.heap_slot = desk_.workers.heap_slot(what.worker);
  take_failures(entry, what);
  what.reached = std::clamp(entry.reached, what.resume, what.last);
  what.out = std::exchange(entry.out, nullptr);
  what.where = handout::place::back;
  if (job_.pull != nullptr && entry.eaten_ns < long_enough_ns && what.last - what.first >= lazy_size_) {
    lazy_wish_ = lazy_size_ * 2;
  }
  desk_.clear(what.sequence);
}

bool call::collect(const std::shared_ptr<call>& self, std::unique_lock<std::mutex>& lock, const patience& how_long) {
  bool any = false;
  for (auto what = handouts_.begin(); what != handouts_.end();) {
    if (what->where == handout::place::on_board && desk_.done(what->sequence)) take_back(*what);
    if (what->where != handout::place::back) {
      if (!job_.unordered) break;
      ++what;
      continue;
    }
    any = true;
    const bool failed_before = failed_ && lowest_slice_ < what->reached;
    if (what->reached < what->last && what->reached < limit_ && what->failures.empty() && !failed_before &&
        reason_ == nullptr) {
      // Skipped for a failure that then did not come about: its worker died before it could be told, and the slice went
      // well the second time.
      free_chain(desk_.memory, std::exchange(what->out, nullptr), what->heap_slot);
      run_again(*what, job_.in_place ? what->reached : what->resume);
      publish_waiting(self);
      break;
    }
    // The slice that used up its attempts by crashing was not run again: it is not among what is collected.
    std::erase_if(what->failures, [&](const failed_slice& one) { return one.slice >= what->reached; });
    std::size_t taken = 0;
    std::exception_ptr thrown;
    if (job_.collect != nullptr && reason_ == nullptr) {
      lock.unlock();
      thrown = decode(*what, taken);
      lock.lock();
    }
    free_chain(desk_.memory, std::exchange(what->out, nullptr), what->heap_slot);
    if (thrown != nullptr) {
      const std::uint64_t bad = std::min(what->collect_from + taken, what->reached - 1);
      bool told = false;
      try {
        std::rethrow_exception(thrown);
      } catch (const std::bad_alloc&) {
        stop(std::current_exception());
      } catch (...) {
        if (bad >= what->collect_from && bad < what->reached) {
          // The result of this slice is no such value. The others are had by running them again: where the next one begins in
          // this frame, nobody knows.
          std::erase_if(what->failures, [&](const failed_slice& one) { return one.slice <= bad; });
          fail(*what, {bad, capture_exception(job_.named(bad), what->worker, 1)});
          told = true;
        } else {
          stop(std::current_exception());
        }
      }
      if (told) {
        if (job_.keep_going) {
          lock.unlock();
          const std::vector<failed_slice> one{{bad, what->failures.back().failure}};
          source nothing(nullptr, 0);
          std::size_t ignored = 0;
          job_.collect(job_.caller, {bad, bad + 1, &nothing, nullptr, &one, &ignored});
          lock.lock();
        }
        // Those that are run again may succeed this time; only those that used up their attempts are not run.
        const auto gave_up = [&](std::uint64_t slice) {
          return !what->skip.empty() && std::find(what->skip.begin() + 1, what->skip.end(), slice) != what->skip.end();
        };
        what->collect_from = bad + 1;
        collected_ = std::max(collected_, what->collect_from);
        if (what->collect_from < what->last && what->collect_from < limit_) {
          std::erase_if(what->failures,
                        [&](const failed_slice& one) { return one.slice <= bad || !gave_up(one.slice); });
          run_again(*what, what->collect_from);
          publish_waiting(self);
          break;
        }
        if (job_.keep_going && reason_ == nullptr && what->collect_from < what->last) {
          lock.unlock();
          fill_cancelled(what->collect_from, what->last);
          lock.lock();
        }
      }
    }
    if (what->reached < what->last) first_missing_ = std::min(first_missing_, what->reached);
    collected_ = job_.unordered ? collected_ + (what->last - what->collect_from) : what->last;
    free_input(*what);
    what = handouts_.erase(what);
    if (how_long.met()) break;
  }
  return any;
}

// Runs slices from `from` on once more; the results before are collected, or lost.
void call::run_again(handout& what, std::uint64_t from) noexcept {
  ++happened.retries;
  what.where = handout::place::waiting;
  what.resume = from;
  ++waiting_;
}

// Hands the chunk's results to the verb. Returns what that threw; `taken` says how many slices it got to.
std::exception_ptr call::decode(handout& what, std::size_t& taken) {
  try {
    bounds_of_worker bounds{&desk_.memory, what.heap_slot};
    source results(what.out, {SIZE_MAX, &bounds, owned_by_worker});
    results.adopting(true);
    happened.bytes_out += job_.results ? results.remaining() : 0;
    job_.collect(job_.caller, {what.collect_from, what.reached, &results, nullptr, &what.failures, &taken});
    if (job_.keep_going && what.reached < what.last) fill_cancelled(what.reached, what.last);
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

// What was not run because the call was stopped.
void call::fill_cancelled(std::uint64_t first, std::uint64_t last) {
  while (first < last) {
    const std::uint64_t end = std::min<std::uint64_t>(last, first + most_at_once);
    std::vector<failed_slice> missing;
    for (std::uint64_t slice = first; slice < end; ++slice) {
      missing.push_back({slice, cancelled_failure(job_.named(slice), 0, 1)});
    }
    source nothing(nullptr, 0);
    std::size_t taken = 0;
    job_.collect(job_.caller, {first, end, &nothing, nullptr, &missing, &taken});
    first = end;
  }
}

void call::free_input(handout& what) noexcept {
  for (segment* piece = std::exchange(what.in, nullptr); piece != nullptr;) {
    frame_bytes_ -= std::min(frame_bytes_, piece->used);
    segment* const next = piece->next;
    desk_.memory.deallocate(piece);
    piece = next;
  }
}

bool call::ended() const noexcept { return handouts_.empty() && !more_input(); }

bool call::something_back() noexcept {
  for (const handout& what : handouts_) {
    if (what.where == handout::place::back) return true;
    if (what.where == handout::place::on_board && desk_.done(what.sequence)) return true;
    if (!job_.unordered) return false;
  }
  return false;
}

std::uint64_t call::first_on_board() const noexcept {
  for (const handout& what : handouts_) {
    if (what.where == handout::place::on_board) return what.sequence;
  }
  return desk_.head();
}

std::uint64_t call::wanted() const noexcept {
  const std::uint64_t first = first_on_board();
  const std::uint64_t published = desk_.head();
  if (first == published || job_.unordered) return first;
  // With more to hand out or to decode, half-way: the other half keeps the workers busy meanwhile.
  return more_input() || job_.collect != nullptr ? first + (published - first) / 2 : published - 1;
}

// ---- Failures ---------------------------------------------------------------------------------------------------------

// Moves the failures a worker recorded in the chunk into the parent's own memory.
void call::take_failures(chunk& entry, handout& what) {
  bounds_of_worker bounds{&desk_.memory, what.heap_slot};
  failure_record* one = std::exchange(entry.failures, nullptr);
  for (std::uint64_t seen = 0; one != nullptr && seen < what.last - what.first; ++seen) {
    if (!desk_.memory.owned_by(what.heap_slot, one, sizeof *one)) break;
    failure_record* const next = one->next;
    const std::uint64_t slice = std::clamp(one->slice, what.first, what.last - 1);
    try {
      source frame(one->frame, {SIZE_MAX, &bounds, owned_by_worker});
      fail(what, {slice, frame.read<slice_failure>()});
    } catch (const codec_error& error) {
      slice_failure failure;
      failure.kind = failure_kind::codec;
      failure.what = error.what();
      failure.slice = job_.named(slice);
      fail(what, {slice, std::move(failure)});
    }
    free_chain(desk_.memory, one->frame, what.heap_slot);
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
    free_chain(desk_.memory, one->frame, heap_slot);
    desk_.memory.deallocate(one);
    one = next;
  }
}

// ---- Deaths -----------------------------------------------------------------------------------------------------------

void call::again(handout& what, unsigned attempt) {
  ++happened.retries;
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
  free_chain(desk_.memory, std::exchange(entry.out, nullptr), what.heap_slot);
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

slice_failure call::failure_of(std::uint64_t first, std::uint64_t last, unsigned worker, unsigned used,
                               const death& how, bool in_place) const {
  return how.told(job_.named(first), job_.named(last), worker, used, options_.attempts, options_.timeout, in_place);
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

// ---- Ending early -------------------------------------------------------------------------------------------------------

void call::abandon(handout& what) noexcept {
  chunk& entry = desk_.entry(what.sequence);
  const unsigned heap_slot = desk_.workers.heap_slot(desk_.word(what.sequence).worker());
  free_chain(desk_.memory, std::exchange(entry.out, nullptr), heap_slot);
  drop_failures(entry, heap_slot);
  what.where = handout::place::back;
  what.reached = what.resume;
  desk_.clear(what.sequence);
}

void call::stop(std::exception_ptr reason) noexcept {
  if (reason != nullptr && reason_ == nullptr) reason_ = std::move(reason);
  if (reason_ == nullptr) cancelled_ = true;
  input_ended_ = true;
  set_limit(0);
}

void call::stop_input() noexcept {
  if (job_.pull != nullptr) stop(nullptr);
}

bool call::withdraw() noexcept {
  if (handouts_.empty()) return false;
  handout& only = handouts_.front();
  if (only.where == handout::place::on_board) {
    std::uint64_t word = desk_.word(only.sequence).bits();
    // The parent claims it, as a worker would: from now on nobody else can.
    if (chunk_word(word).state() != chunk_state::ready ||
        !desk_.entry(only.sequence).word.compare_exchange_strong(word, 0, std::memory_order_acq_rel)) {
      return false;
    }
    abandon(only);
  } else if (only.where == handout::place::back) {
    return false;
  }
  stop(nullptr);
  return true;
}

unsigned call::doom() noexcept {
  if (handouts_.empty() || handouts_.front().where != handout::place::on_board) return max_workers;
  const chunk_word word = desk_.word(handouts_.front().sequence);
  if (word.state() != chunk_state::running) return max_workers;
  doomed_ = true;
  return word.worker();
}

void call::conclude() {
  if (reason_ != nullptr) std::rethrow_exception(reason_);
  if (job_.keep_going) {
    if (cancelled_ && job_.collect != nullptr && collected_ < job_.slices) fill_cancelled(collected_, job_.slices);
  } else if (failed_) {
    rethrow(lowest_);
  } else if (cancelled_) {
    rethrow(cancelled_failure(job_.named(std::min(first_missing_, next_slice_)), 0, 1));
  }
  if (reason_at_end_ != nullptr) std::rethrow_exception(reason_at_end_);
}

void call::tell_progress(std::unique_lock<std::mutex>& lock, bool last) {
  if (!options_.progress) return;
  const std::uint64_t now = now_ns();
  if (!last && now - told_ns_ < progress_ns) return;
  told_ns_ = now;
  progress so_far;
  so_far.done = job_.named(collected_);
  so_far.total = input_ended_ && reason_ == nullptr ? job_.all() : 0;
  so_far.elapsed = std::chrono::nanoseconds(now - began_ns_);
  for (std::uint64_t sequence = desk_.tail(); sequence != desk_.head(); ++sequence) {
    if (desk_.word(sequence).state() == chunk_state::running) ++so_far.busy;
  }
  lock.unlock();
  try {
    options_.progress(so_far);
  } catch (...) {
    lock.lock();
    stop(std::current_exception());
    return;
  }
  lock.lock();
}

}  // namespace forkful::detail
