#include "backends/elsewhere/call.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "board/chunking.hpp"
#include "board/pace.hpp"
#include "errors/exceptions.hpp"
#include "os/breakpoint.hpp"
#include "os/cpu.hpp"

namespace forkful::detail {

namespace {

// What publishing is: mostly encoding, where there is something to encode.
stopwatch::phase phase_of(const job& work) noexcept {
  return work.encode != nullptr || work.pull != nullptr ? stopwatch::phase::pass_in : stopwatch::phase::wake;
}

}  // namespace

call::call(parent_board& where, job& work, const call_options& options, std::uint64_t number,
           std::shared_ptr<void> owner)
    : counted(work, where.table.workers, work.bytes_broadcast != 0 ? stopwatch::phase::pass_in : phase_of(work)),
      board_(where),
      job_(work),
      owner_(std::move(owner)),
      options_(options),
      completion_(job_, options_),
      limit_(~std::uint64_t{0}),
      input_ended_(work.pull == nullptr) {
  if (work.recorded != nullptr) counted.record(std::move(work.recorded));
  shared_ = new (board_.memory.allocate(sizeof(shared_job), alignof(shared_job))) shared_job{};
  shared_->id = number;
  shared_->run = job_.run;
  shared_->environment = floating_point::here();
  shared_->skip = job_.skip;
  shared_->leave = job_.leave;
  shared_->plan = job_.plan;
  shared_->timeout_ns = static_cast<std::uint64_t>(options_.timeout.count());
  shared_->timed = shared_->timeout_ns != 0;
  shared_->results = job_.results;
  shared_->one_at_a_time = job_.one_at_a_time;
  shared_->keep_going = job_.keep_going;
  shared_->passes = job_.passes;
  shared_->tight = job_.tight;
  shared_->name_each.store(board_.crashed, std::memory_order_relaxed);
  shared_->shared_out = options_.chunk == 0;
  shared_->undo = job_.mutates && options_.attempts > 1;
  shared_->locate = job_.locate;
  shared_->limit.store(limit_, std::memory_order_relaxed);
}

call::~call() {
  for (chunk_in_flight& what : in_flight_) {
    free_results(what);
    free_input(what);
  }
  board_.memory.deallocate(shared_);
}

// ---- Publishing -----------------------------------------------------------------------------------------------------

bool call::more_input() const noexcept {
  return !completion_.has_reason() && next_slice_ < limit_ && (!input_ended_ || next_slice_ < job_.slices);
}

// How many slices the next chunk takes; 0: none now.
std::size_t call::next_size() const noexcept {
  return static_cast<std::size_t>(std::min<std::uint64_t>(wanted_size(), board_.workers.largest_chunk()));
}

// In nanoseconds; 0: not known. What the callable was given before may have been quite other slices: as soon as some of this call's are
// back they count alone.
double call::time_of_slice() const noexcept {
  if (slice_ns == 0 || ran_slices == 0) return slice_ns;
  return static_cast<double>(ran_ns) / static_cast<double>(ran_slices);
}

std::size_t call::wanted_size() const noexcept {
  const std::uint64_t out = in_flight_.size();
  const unsigned workers = board_.table.workers;
  if (out >= starved_by_) return 0;
  if (frame_bytes_ > frame_window && out >= 2 * std::uint64_t{workers}) return 0;
  if (one_by_one_) return 1;
  if (job_.pull == nullptr) {
    if (out >= ring_size) return 0;
    return next_chunk(job_.slices, job_.slices - next_slice_, workers, options_.chunk, job_.slice_bytes,
                      time_of_slice());
  }
  std::size_t size = options_.chunk != 0 ? options_.chunk : lazy_size_;
  if (job_.slices > next_slice_) {  // how many are to come is known, and how long they take is not
    size = std::min(size, next_chunk(job_.slices, job_.slices - next_slice_, workers, options_.chunk, job_.slice_bytes,
                                     time_of_slice()));
  }
  if (options_.window == 0) return out < 2 * std::uint64_t{workers} ? size : 0;
  // At least two chunks a worker share the window, so that no worker waits while one is collected.
  const std::uint64_t ahead = next_slice_ - collected_;
  const std::size_t share = std::max<std::size_t>(1, options_.window / (2 * std::size_t{workers}));
  if (ahead >= options_.window) return 0;
  return std::min({size, share, static_cast<std::size_t>(options_.window - ahead)});
}

std::uint64_t call::input_after() const noexcept {
  return in_flight_.empty() || job_.pull == nullptr ? 0 : reader_.not_before();
}

bool call::feed(const std::shared_ptr<call>& self, std::unique_lock<std::mutex>& lock) {
  if (publish_waiting(self)) return true;
  if (waiting_ != 0 || !more_input()) return false;
  const std::size_t size = next_size();
  if (size == 0) return false;
  counted.watch.enter(phase_of(job_));
  if (job_.encode == nullptr && job_.pull == nullptr) {
    add_chunk(size);
  } else {
    encode_next(size, lock);
  }
  publish_waiting(self);
  return true;
}

// The next slices, as a chunk.
chunk_in_flight& call::cut(std::size_t size) {
  chunk_in_flight& what = in_flight_.emplace_back();
  what.first = what.collect_from = what.resume = next_slice_;
  what.last = next_slice_ + size;
  next_slice_ += size;
  return what;
}

// The same, for workers.
chunk_in_flight& call::add_chunk(std::size_t size) {
  chunk_in_flight& what = cut(size);
  ++counted.happened.chunks;
  ++waiting_;
  return what;
}

void call::encode_next(std::size_t size, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  std::exception_ptr thrown;
  input_frame frame(segments_of(board_.memory), expected_.of(size));
  std::size_t copied = 0;
  bool at_encoding = false;
  try {
    if (job_.pull != nullptr && !one_by_one_) size = reader_.read(job_, size, options_.chunk != 0);
    at_encoding = true;
    if (job_.encode != nullptr && size != 0) {
      copied = job_.encode(job_.caller, next_slice_, next_slice_ + size, frame.out());
      frame.end();
    }
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
    // The input itself failed: what it gave before is still run, then this is thrown.
    input_ended_ = true;
    job_.slices = next_slice_;
    completion_.input_failed(thrown);
    return;
  }
  if (thrown != nullptr && size > 1) {
    one_by_one_ = true;
    one_by_one_to_ = next_slice_ + size;
    return;
  }
  if (thrown != nullptr && !in_flight_.empty() && is_want_of_memory(thrown)) {
    starved_by_ = in_flight_.size();
    return;
  }
  starved_by_ = SIZE_MAX;
  if (one_by_one_ && next_slice_ + size == one_by_one_to_) one_by_one_ = false;
  if (thrown != nullptr) {
    chunk_in_flight& what = cut(size);
    fail(what, {what.first, describe(thrown, job_.named(what.first), 0)});
    what.where = chunk_in_flight::stage::back;
    what.reached = what.last;
    return;
  }
  chunk_in_flight& what = add_chunk(size);
  counted.happened.bytes_in += copied;
  frame_bytes_ += frame.out().size();
  expected_.saw(size, frame.out().size());
  if (job_.pull != nullptr && options_.chunk == 0) lazy_size_ = std::max(lazy_size_, lazy_wanted_);
  what.in = frame.take(what.in_here);  // not before the chunk is there to own it
}

// Puts what waits for room on the board.
bool call::publish_waiting(const std::shared_ptr<call>& self) {
  // Without workers nothing would ever come back: the thread that carries the call on stops it first.
  if (board_.closed && !completion_.has_reason()) return false;
  bool any = false;
  if (waiting_ != 0 && !published_) {
    published_ = true;
    const std::uint64_t now = now_ns();
    counted.watch.enter(phase_of(job_), now);
    counted.published(now);
  }
  // In their order. Most that wait are the newest, so they are looked for from there: there may be thousands before them.
  auto what = in_flight_.end();
  for (std::size_t found = 0; found != waiting_;) {
    --what;
    found += what->where == chunk_in_flight::stage::waiting ? 1 : 0;
  }
  for (; waiting_ != 0 && !board_.full(); ++what) {
    if (what->where != chunk_in_flight::stage::waiting) continue;
    --waiting_;
    if (what->resume >= limit_ || completion_.has_reason()) {  // no worker is to run it any more
      what->where = chunk_in_flight::stage::back;
      what->reached = what->resume;
      any = true;
      continue;
    }
    publish(*what, self);
    any = true;
  }
  return any;
}

void call::publish(chunk_in_flight& what, std::shared_ptr<retirable> self) noexcept {
  const std::uint64_t sequence = board_.next();
  chunk& entry = board_.entry(sequence);
  entry.job = shared_;
  entry.first = what.first;
  entry.last = what.last;
  entry.in = what.in;
  entry.in_bytes = static_cast<std::uint32_t>(what.in_here.size());
  std::memcpy(board_.frames(sequence).input.data(), what.in_here.data(), what.in_here.size());
  entry.resume = what.resume;
  entry.suspect_first = entry.suspects = 0;
  entry.skip = what.skip.empty() ? nullptr : what.skip.data();
  what.where = chunk_in_flight::stage::on_board;
  what.sequence = sequence;
  board_.at(sequence) = {std::move(self), this, &what};
  no_answer(entry, sequence);
  publish_chunk(board_.table, board_.tail(), 1, ++board_.generation);
}

// The answer of a worker that has not begun to run it.
void call::no_answer(chunk& entry, std::uint64_t sequence) noexcept {
  entry.failures = nullptr;
  entry.reached = entry.resume;
  entry.noted = 0;
  if (job_.results) board_.frames(sequence).no_results();
}

void call::free_input(chunk_in_flight& what) noexcept {
  segment* const mine = std::exchange(what.in, nullptr);
  frame_bytes_ -= std::min(frame_bytes_, what.in_here.size());
  what.in_here.clear();
  if (what.shared_in != nullptr) {
    what.shared_in.reset();
  } else {
    free_frame(mine);
  }
}

void call::free_frame(segment* frame) noexcept {
  for (segment* piece = frame; piece != nullptr;) {
    frame_bytes_ -= std::min(frame_bytes_, piece->used);
    segment* const next = piece->next;
    board_.memory.deallocate(piece);
    piece = next;
  }
}

// ---- How far it is ---------------------------------------------------------------------------------------------------

bool call::ended() const noexcept { return in_flight_.empty() && !more_input(); }

bool call::something_back() noexcept {
  for (const chunk_in_flight& what : in_flight_) {
    if (what.where == chunk_in_flight::stage::back) return true;
    if (what.where == chunk_in_flight::stage::on_board && board_.done(what.sequence)) return true;
    if (!job_.unordered) return false;
  }
  return false;
}

bool call::begun() noexcept {
  if (collected_ != 0) return true;
  return std::any_of(in_flight_.begin(), in_flight_.end(), [&](const chunk_in_flight& what) {
    return what.where == chunk_in_flight::stage::back ||
           (what.where == chunk_in_flight::stage::on_board && board_.word(what.sequence).state() != chunk_state::ready);
  });
}

bool call::can_publish() const noexcept { return waiting_ != 0 ? !board_.full() : more_input() && next_size() != 0; }

std::uint64_t call::first_on_board() const noexcept {
  for (const chunk_in_flight& what : in_flight_) {
    if (what.where == chunk_in_flight::stage::on_board) return what.sequence;
  }
  return board_.head();
}

std::uint64_t call::wanted() const noexcept {
  const std::uint64_t first = first_on_board();
  const std::uint64_t published = board_.head();
  if (first == published || job_.unordered) return first;
  if (!more_input() && job_.collect == nullptr) return published - 1;
  // With more to publish or to decode, half-way: the other half keeps the workers busy meanwhile. What is done behind a
  // chunk that takes long is of no use yet; woken for each of those, the parent would keep the others from running.
  std::uint64_t after = first + 1;
  while (after != published && board_.done(after)) ++after;
  return after == published ? first : after - 1 + (published - after + 1) / 2;
}

// ---- Ending early -------------------------------------------------------------------------------------------------------

void call::abandon(chunk_in_flight& what) noexcept {
  chunk& entry = board_.entry(what.sequence);
  const chunk_word word = board_.word(what.sequence);
  const unsigned heap_slot = board_.workers.heap_slot(word.worker());
  drop_results(what.sequence, heap_slot, board_.workers.lives(word.worker(), word.incarnation()));
  drop_failures(entry, heap_slot);
  what.where = chunk_in_flight::stage::back;
  what.reached = what.resume;
  board_.clear(what.sequence);
}

void call::stop(std::exception_ptr reason) noexcept {
  if (!input_ended_ || next_slice_ < job_.slices) completion_.missing(next_slice_);
  completion_.stop(std::move(reason));
  input_ended_ = true;
  set_limit(0);
}

void call::stop_input() noexcept {
  if (job_.pull != nullptr) stop(nullptr);
}

bool call::withdraw() noexcept {
  if (in_flight_.empty()) return false;
  chunk_in_flight& only = in_flight_.front();
  if (only.where == chunk_in_flight::stage::on_board) {
    std::uint64_t word = board_.word(only.sequence).bits();
    // The parent claims it, as a worker would: from now on no worker can.
    if (chunk_word(word).state() != chunk_state::ready ||
        !board_.entry(only.sequence).word.compare_exchange_strong(word, 0, std::memory_order_acq_rel)) {
      return false;
    }
    abandon(only);
  } else if (only.where == chunk_in_flight::stage::back) {
    return false;
  }
  stop(nullptr);
  return true;
}

unsigned call::ask_to_kill() noexcept {
  if (in_flight_.empty() || in_flight_.front().where != chunk_in_flight::stage::on_board) return max_workers;
  const std::uint64_t sequence = in_flight_.front().sequence;
  const chunk_word word = board_.word(sequence);
  if (word.state() != chunk_state::running) return max_workers;
  std::atomic<std::uint64_t>& kill_asked = board_.table.slots[word.worker()].kill_asked;
  kill_asked.store(word.bits(), std::memory_order_relaxed);
  // The mirror image of finish_chunk: the worker marks its chunk done, fences, and looks at `kill_asked`. Either we see
  // that it is done, or it sees that it has to wait for its end.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (board_.word(sequence).bits() != word.bits()) {
    kill_asked.store(0, std::memory_order_relaxed);
    return max_workers;
  }
  kill_asked_ = true;
  return word.worker();
}

void call::conclude() {
  if (completion_.stopped() && !completion_.has_reason()) completion_.collect_cancelled(collected_, job_.slices);
  completion_.conclude();
}

// Slices that were run or have failed, also in chunks that are not back.
std::uint64_t call::slices_run() noexcept {
  std::uint64_t all = ran_;
  for (const chunk_in_flight& what : in_flight_) {
    std::uint64_t reached = what.collect_from;
    if (what.where == chunk_in_flight::stage::back) reached = what.reached;
    if (what.where == chunk_in_flight::stage::on_board) {
      const chunk_word word = board_.word(what.sequence);
      if (word.state() == chunk_state::done) reached = what.last;
      if (word.state() == chunk_state::running && word.worker() < board_.table.workers) {
        const std::uint64_t cursor = board_.table.slots[word.worker()].cursor.load(std::memory_order_relaxed);
        reached = what.first + (cursor >> 16);
      }
    }
    all += std::clamp(reached, what.collect_from, what.last) - what.collect_from;
  }
  return all;
}

void call::take_final_figures() {
  if (!std::exchange(started_, false)) return;
  for (unsigned worker = 0; worker < board_.table.workers; ++worker) {
    if (!board_.workers.running(worker)) {
      counted.add_missing(worker);
      continue;
    }
    counted.add_start(worker, board_.table.slots[worker].ready.load(std::memory_order_relaxed));
  }
}

void call::report_progress(std::unique_lock<std::mutex>& lock, bool last) {
  const std::uint64_t now = options_.progress ? now_ns() : 0;
  if (!completion_.progress_is_due(now, last)) return;
  progress so_far;
  // What workers say may be seen late, and what a dead worker had run may be run again: never less than before.
  reported_ = std::max(reported_, slices_run());
  so_far.done = job_.named(reported_);
  so_far.total = input_ended_ && !completion_.has_reason() ? job_.all() : 0;
  for (std::uint64_t sequence = board_.tail(); sequence != board_.head(); ++sequence) {
    if (board_.word(sequence).state() == chunk_state::running) ++so_far.busy;
  }
  lock.unlock();
  try {
    completion_.report_progress(now, so_far);
  } catch (...) {
    lock.lock();
    stop(std::current_exception());
    return;
  }
  lock.lock();
}

}  // namespace forkful::detail
