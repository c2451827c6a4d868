#include "backends/call.hpp"

#include <algorithm>
#include <cstring>

#include "board/chunking.hpp"
#include "errors/exceptions.hpp"
#include "os/breakpoint.hpp"

namespace forkful::detail {

namespace {

// Input encoded ahead of the workers: enough to keep them busy, little enough to be warm memory when it is used again.
constexpr std::size_t frame_window = std::size_t{16} << 20;

segment* allocate_segment(void* memory, std::size_t capacity) {
  auto* made = new (static_cast<arena*>(memory)->allocate(sizeof(segment) + capacity, 64)) segment{};
  made->capacity = capacity;
  return made;
}

void release_segment(void* memory, segment* piece) noexcept { static_cast<arena*>(memory)->deallocate(piece); }

struct bounds_of_worker {
  arena* memory;
  unsigned heap_slot;
};

bool owned_by_worker(void* self, const void* address, std::size_t bytes) {
  const auto& bounds = *static_cast<const bounds_of_worker*>(self);
  return bounds.memory->owned_by(bounds.heap_slot, address, bytes);
}

}  // namespace

call::call(job& work, const call_options& options, board& table, arena& memory, crew& workers,
           std::vector<record>& records, std::uint64_t number, std::uint32_t& generation, report& happened)
    : job_(work),
      options_(options),
      table_(table),
      arena_(memory),
      crew_(workers),
      report_(happened),
      generation_(generation),
      records_(records),
      limit_(work.slices) {
  if (const std::size_t wanted = std::min<std::size_t>(ring_size, work.slices); records_.size() < wanted) {
    records_.resize(wanted);
  }
  shared_ = new (arena_.allocate(sizeof(shared_job), alignof(shared_job))) shared_job{};
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

call::~call() { arena_.deallocate(shared_); }

bool call::finished() const noexcept {
  return (next_slice_ >= limit_ || next_slice_ >= job_.slices) &&
         table_.settled.load(std::memory_order_relaxed) == table_.published.load(std::memory_order_relaxed);
}

bool call::ready() const noexcept {
  const std::uint64_t settled = table_.settled.load(std::memory_order_relaxed);
  if (settled == table_.published.load(std::memory_order_relaxed)) return false;
  // acquire: pairs with the worker's release of `done`, so its results are visible.
  return chunk_word(table_.entry(settled).word.load(std::memory_order_acquire)).state() == chunk_state::done;
}

bool call::feed() {
  const std::uint64_t published = table_.published.load(std::memory_order_relaxed);
  const std::uint64_t settled = table_.settled.load(std::memory_order_relaxed);
  if (next_slice_ >= limit_ || next_slice_ >= job_.slices) return false;
  if (published - settled == records_.size()) return false;
  if (frame_bytes_ > frame_window && published - settled >= 2 * std::uint64_t{table_.workers}) return false;

  const std::size_t size = std::min<std::size_t>(
      next_chunk(job_.slices, job_.slices - next_slice_, table_.workers, options_.chunk, job_.slice_bytes),
      crew_.largest_chunk());
  chunk& entry = table_.entry(published);
  record& mine = records_[published % records_.size()];
  mine.first = next_slice_;
  mine.failures.clear();
  entry.job = shared_;
  entry.first = next_slice_;
  entry.last = next_slice_ + size;
  entry.in = nullptr;
  entry.suspect_first = entry.suspect_last = 0;
  entry.skip = nullptr;
  entry.out = nullptr;
  entry.failures = nullptr;
  entry.reached = entry.resume = entry.first;
  if (job_.encode != nullptr) {
    sink frame(segment_memory{&arena_, allocate_segment, release_segment});
    report_.bytes_in += job_.encode(job_.caller, entry.first, entry.last, frame);
    frame_bytes_ += frame.size();
    entry.in = frame.take();
  }
  next_slice_ += size;
  ++report_.chunks;
  publish_chunk(table_, 1, ++generation_);
  return true;
}

bool call::settle() {
  bool any = false;
  while (ready()) {
    settle_front();
    any = true;
  }
  return any;
}

void call::settle_front() {
  const std::uint64_t sequence = table_.settled.load(std::memory_order_relaxed);
  chunk& entry = table_.entry(sequence);
  record& mine = records_[sequence % records_.size()];
  const unsigned worker = chunk_word(entry.word.load(std::memory_order_relaxed)).worker();
  const unsigned heap_slot = crew_.heap_slot(worker);
  take_failures(entry, mine, heap_slot);

  const std::uint64_t reached = std::clamp(entry.reached, mine.first, entry.last);
  const bool failed_before = failed_ && lowest_.slice < reached;
  if (reached < entry.last && reached < limit_ && mine.failures.empty() && !failed_before && reason_ == nullptr) {
    // Skipped for a failure that then did not come about: its worker died before it could be told, and the slice went well
    // the second time.
    if (job_.in_place) entry.resume = reached;
    free_chain(std::exchange(entry.out, nullptr), heap_slot);
    gather_limits();
    again(sequence, 1);
    return;
  }

  // The slice that used up its attempts by crashing was not run again: it is not among what is collected.
  std::erase_if(mine.failures, [&](const slice_failure& one) { return one.slice >= reached; });
  std::exception_ptr thrown;
  try {
    if (job_.collect != nullptr && reason_ == nullptr) {
      bounds_of_worker bounds{&arena_, heap_slot};
      source results(entry.out, {SIZE_MAX, &bounds, owned_by_worker});
      results.adopting(true);
      report_.bytes_out += job_.results ? results.remaining() : 0;
      job_.collect(job_.caller, {mine.first, reached, &results, nullptr, &mine.failures});
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  free_chain(std::exchange(entry.out, nullptr), heap_slot);
  for (segment* piece = std::exchange(entry.in, nullptr); piece != nullptr;) {
    frame_bytes_ -= std::min(frame_bytes_, piece->used);
    segment* const next = piece->next;
    arena_.deallocate(piece);
    piece = next;
  }
  mine.skip = {};
  mine.failures.clear();
  entry.word.store(0, std::memory_order_relaxed);
  // release: the entry is as good as new before anybody may use it for a later chunk.
  table_.settled.store(sequence + 1, std::memory_order_release);
  if (thrown != nullptr) stop(thrown);
}

// Moves the failures a worker recorded in the chunk into the parent's own memory.
void call::take_failures(chunk& entry, record& about, unsigned heap_slot) {
  bounds_of_worker bounds{&arena_, heap_slot};
  failure_record* one = std::exchange(entry.failures, nullptr);
  for (std::uint64_t seen = 0; one != nullptr && seen < entry.last - about.first; ++seen) {
    if (!arena_.owned_by(heap_slot, one, sizeof *one)) break;
    failure_record* const next = one->next;
    try {
      source frame(one->frame, {SIZE_MAX, &bounds, owned_by_worker});
      auto failure = frame.read<slice_failure>();
      if (failure.slice >= about.first && failure.slice < entry.last) fail(about, std::move(failure));
    } catch (const codec_error& error) {
      slice_failure failure;
      failure.kind = failure_kind::codec;
      failure.what = error.what();
      failure.slice = std::clamp(one->slice, about.first, entry.last - 1);
      fail(about, std::move(failure));
    }
    free_chain(one->frame, heap_slot);
    arena_.deallocate(one);
    one = next;
  }
  std::sort(about.failures.begin(), about.failures.end(),
            [](const slice_failure& a, const slice_failure& b) { return a.slice < b.slice; });
}

void call::fail(record& about, slice_failure failure) {
  const auto same = [&](const slice_failure& other) { return other.slice == failure.slice; };
  if (std::any_of(about.failures.begin(), about.failures.end(), same)) return;
  if (!failed_ || failure.slice < lowest_.slice) lowest_ = failure;
  failed_ = true;
  if (!job_.keep_going) set_limit(failure.slice);
  about.failures.push_back(std::move(failure));
}

void call::set_limit(std::uint64_t slice) noexcept {
  limit_ = std::min(limit_, slice);
  shared_->limit.store(limit_, std::memory_order_relaxed);
}

void call::gather_limits() noexcept {
  if (job_.keep_going) return;
  std::uint64_t lowest = limit_;
  for (unsigned worker = 0; worker < table_.workers; ++worker) {
    const worker_slot& slot = table_.slots[worker];
    // acquire: pairs with the release that made the slice count.
    if (slot.failed_job.load(std::memory_order_acquire) != shared_->id) continue;
    lowest = std::min(lowest, slot.failed_slice.load(std::memory_order_relaxed));
  }
  // Workers only: the call's own limit waits for the failure itself, because its worker may die before it is told.
  shared_->limit.store(lowest, std::memory_order_relaxed);
}

void call::free_chain(segment* chain, unsigned heap_slot) noexcept {
  // A damaged chain could be a ring: nothing a worker wrote is longer than the arena.
  for (std::size_t freed = 0; chain != nullptr && freed < arena_.size();) {
    if (!arena_.owned_by(heap_slot, chain, sizeof(segment))) return;
    segment* const next = chain->next;
    freed += arena_.block_size(chain);
    arena_.deallocate(chain);
    chain = next;
  }
}

void call::again(std::uint64_t sequence, unsigned attempt) {
  ++report_.retries;
  chunk& entry = table_.entry(sequence);
  entry.reached = entry.resume;
  publish_again(table_, sequence, std::min(attempt, max_attempts), ++generation_);
  wake_one(table_);
}

void call::drop_failures(chunk& entry, unsigned heap_slot) noexcept {
  failure_record* one = std::exchange(entry.failures, nullptr);
  // As many as there can be: a damaged list could be a ring.
  for (std::uint64_t seen = 0; one != nullptr && seen < entry.last - entry.first; ++seen) {
    if (!arena_.owned_by(heap_slot, one, sizeof *one)) return;
    failure_record* const next = one->next;
    free_chain(one->frame, heap_slot);
    arena_.deallocate(one);
    one = next;
  }
}

bool call::lost(unsigned worker, unsigned incarnation, const death& end) {
  ++report_.deaths;
  const std::uint64_t published = table_.published.load(std::memory_order_relaxed);
  std::uint64_t sequence = table_.settled.load(std::memory_order_relaxed);
  for (; sequence < published; ++sequence) {
    const chunk_word word(table_.entry(sequence).word.load(std::memory_order_acquire));
    if (word.state() == chunk_state::running && word.worker() == worker && word.incarnation() == incarnation) break;
  }
  if (sequence == published) return false;
  breakpoint(point::replace_before);

  chunk& entry = table_.entry(sequence);
  record& mine = records_[sequence % records_.size()];
  const unsigned heap_slot = crew_.heap_slot(worker);
  const std::uint64_t cursor = table_.slots[worker].cursor.load(std::memory_order_relaxed);
  const std::uint64_t first = std::clamp(entry.first + (cursor >> 16), entry.first, entry.last);
  const std::uint64_t last = std::clamp(first + (cursor & 0xffff), first, entry.last);
  const bool begun = last > first;
  free_chain(std::exchange(entry.out, nullptr), heap_slot);
  if (job_.in_place) {
    // What was eaten before the block stays eaten, and failures told so far stay told.
    take_failures(entry, mine, heap_slot);
  } else {
    drop_failures(entry, heap_slot);
  }
  if (!begun) {
    if (job_.in_place) entry.resume = std::max(entry.resume, first);
    again(sequence, chunk_word(entry.word.load(std::memory_order_relaxed)).attempt());
    return false;
  }
  return job_.in_place ? crashed_in_place(sequence, first, last, end, worker)
                       : crashed_by_copy(sequence, first, last, end, worker);
}

bool call::crashed_by_copy(std::uint64_t sequence, std::uint64_t first, std::uint64_t last, const death& end,
                           unsigned worker) {
  chunk& entry = table_.entry(sequence);
  record& mine = records_[sequence % records_.size()];
  entry.suspect_first = first;
  entry.suspect_last = last;
  if (last - first > 1) {
    // Which one was it? Run the block slice by slice; that names it.
    again(sequence, 1);
    return true;
  }
  const unsigned used = ++attempts_[first];
  if (used < options_.attempts) {
    again(sequence, used + 1);
    return true;
  }
  fail(mine, end.told(first, last, worker, used, options_.attempts, options_.timeout, false));
  if (job_.keep_going) {
    // The list is replaced, not changed: nobody reads it while no worker holds the chunk, and it stays in order.
    shared_vector<std::uint64_t> skip;
    const std::size_t had = mine.skip.empty() ? 0 : mine.skip[0];
    skip.push_back(had + 1);
    for (std::size_t i = 1; i <= had; ++i) skip.push_back(mine.skip[i]);
    skip.push_back(first);
    std::sort(skip.begin() + 1, skip.end());
    mine.skip = std::move(skip);
    entry.skip = mine.skip.data();
  }
  again(sequence, 1);
  return true;
}

bool call::crashed_in_place(std::uint64_t sequence, std::uint64_t first, std::uint64_t last, const death& end,
                            unsigned worker) {
  chunk& entry = table_.entry(sequence);
  record& mine = records_[sequence % records_.size()];
  entry.suspect_first = entry.suspect_last = 0;
  unsigned used = 0;
  for (std::uint64_t slice = first; slice < last; ++slice) used = std::max(used, ++attempts_[slice]);
  if (used < options_.attempts && put_back(first, last, worker)) {
    entry.resume = first;
    entry.suspect_first = first;
    entry.suspect_last = last;
    again(sequence, used + 1);
    return true;
  }
  for (std::uint64_t slice = first; slice < last; ++slice) {
    slice_failure failure = end.told(first, last, worker, used, options_.attempts, options_.timeout, true);
    failure.slice = slice;
    fail(mine, std::move(failure));
  }
  entry.resume = last;
  again(sequence, 1);
  return true;
}

// Undoes what a dead worker may have done to slices [first, last). False: it cannot be undone.
bool call::put_back(std::uint64_t first, std::uint64_t last, unsigned worker) {
  if (!job_.mutates) return true;
  const block_of_memory block = job_.locate(job_.plan, first, last);
  const std::byte* const kept = table_.slots[worker].undo.load(std::memory_order_relaxed);
  if (!arena_.owned_by(crew_.heap_slot(worker), kept, block.bytes)) return false;
  std::memcpy(block.data, kept, block.bytes);
  return true;
}

void call::stop(std::exception_ptr reason) noexcept {
  if (reason_ == nullptr) reason_ = std::move(reason);
  set_limit(0);
}

std::uint64_t call::wanted() const noexcept {
  const std::uint64_t settled = table_.settled.load(std::memory_order_relaxed);
  const std::uint64_t published = table_.published.load(std::memory_order_relaxed);
  const bool more = next_slice_ < limit_ && next_slice_ < job_.slices;
  // With more to hand out or to decode, half-way: the other half keeps the workers busy meanwhile.
  return more || job_.collect != nullptr ? settled + (published - settled) / 2 : published - 1;
}

void call::abandon() noexcept {
  const std::uint64_t published = table_.published.load(std::memory_order_relaxed);
  for (std::uint64_t sequence = table_.settled.load(std::memory_order_relaxed); sequence < published; ++sequence) {
    chunk& entry = table_.entry(sequence);
    const unsigned worker = chunk_word(entry.word.load(std::memory_order_relaxed)).worker();
    free_chain(std::exchange(entry.out, nullptr), crew_.heap_slot(worker));
    drop_failures(entry, crew_.heap_slot(worker));
    free_chain(std::exchange(entry.in, nullptr), arena_.slot());
    entry.word.store(0, std::memory_order_relaxed);
  }
  table_.settled.store(published, std::memory_order_relaxed);
  table_.next.store(published, std::memory_order_relaxed);
  table_.parent_asleep.store(0, std::memory_order_relaxed);
}

void call::conclude() {
  if (reason_ != nullptr) std::rethrow_exception(reason_);
  if (failed_ && !job_.keep_going) rethrow(lowest_);
}

}  // namespace forkful::detail
