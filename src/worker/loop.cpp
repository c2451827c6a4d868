#include "worker/loop.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "board/pace.hpp"
#include "codec/expected_bytes.hpp"
#include "errors/exceptions.hpp"
#include "os/account.hpp"
#include "os/breakpoint.hpp"
#include "os/cpu.hpp"
#include "os/futex.hpp"
#include "os/identity.hpp"
#include "os/lifeline.hpp"
#include "os/process.hpp"
#include "os/streams.hpp"
#include "os/timer.hpp"
#include "worker/block.hpp"
#include "worker/crash.hpp"
#include "worker/inner_threads.hpp"
#include "worker/measurement.hpp"
#include "worker/naming.hpp"
#include "worker/this_worker.hpp"

namespace forkful::detail {

namespace {

constexpr std::size_t largest_block = 256;
// Timing the parts of a slice takes four looks at the clock, a tenth of a microsecond. Slices that take long are all timed; of
// the others one block in so many, and a short one.
constexpr std::uint64_t long_slice_ns = 10'000;
constexpr std::uint64_t timed_blocks = 16;
constexpr std::size_t largest_timed_block = 16;
constexpr std::uint64_t account_ns = 100'000;  // the kernel is asked for its account after so much running

class worker {
 public:
  worker(const worker_start& start, memory_budget& budget)
      : table_(*start.table),
        arena_(*start.memory),
        parent_(start.parent),
        slot_(start.table->slots[start.worker]),
        index_(start.worker),
        incarnation_(static_cast<unsigned>(start.incarnation)),
        budget_(budget),
        max_slices_(start.settings.max_slices),
        max_chunks_(start.settings.max_chunks),
        identity_(this_process()),
        late_signal_(start.settings.around != nullptr ? start.settings.around->late_signal : 0) {}

  // Until the board closes, or this worker has run as much as it may or lost its bell. It holds nothing then.
  void run() {
    end_frames_here(__builtin_frame_address(0));
    seen_ = at_start_ = read_account();
    inherited_ = at_start_.peak_memory - std::min(at_start_.peak_memory, resident_shared());
    looked_ = now_ns();
    slot_.ready.store(looked_, std::memory_order_relaxed);
    while (slot_.watched.load(std::memory_order_relaxed) == 0) futex_wait(slot_.watched, 0);
    for (;;) {
      // acquire: the epoch is read before the words, so that work published after a fruitless look is never slept over.
      const std::uint32_t seen = table_.epoch.load(std::memory_order_acquire);
      if (table_.closing.load(std::memory_order_acquire) != 0 || used_up()) break;
      if (const claim mine = claim_chunk(table_, index_, incarnation_); mine.held != nullptr) {
        // A spinner says so no sooner than it holds a chunk, for which alone it is waited.
        slot_.state.store(worker_state::running, std::memory_order_release);
        wake_next();
        run_chunk(mine);
      } else {
        if (parent_sleeps(table_)) ring();
        if (bell_lost_) break;
        idle(seen);
        burst_began_ = looked_ = now_ns();
      }
    }
    slot_.state.store(worker_state::running, std::memory_order_relaxed);  // it does not look for work
  }

 private:
  // What the templates see of a chunk, and what io.fail needs besides.
  struct running_chunk : chunk_io {
    worker* self = nullptr;
    chunk* held = nullptr;
    chunk_frames* frames = nullptr;
    unsigned attempt = 1;  // of a slice in the suspect block; the others are at their first
  };

  // Without its bell, which code in a slice has closed, the worker leaves, and another takes its place.
  void ring() noexcept { bell_lost_ = !parent_.ring() || bell_lost_; }

  // Chunks get smaller in the course of a call: another one like the last is the most that may come.
  [[nodiscard]] bool used_up() const noexcept {
    return bell_lost_ || (max_slices_ != 0 && ran_ + last_chunk_ > max_slices_) ||
           (max_chunks_ != 0 && chunks_ >= max_chunks_) || (budget_.limited() && out_of_memory_);
  }

  // Lazy waking: short bursts are run by the workers that are awake, because waking costs more than they do.
  void wake_next() noexcept {
    if (probably_unclaimed(table_) == 0) return;
    if (looked_ - burst_began_ < unclaimed_ns) return;
    burst_began_ = looked_;
    wake_one(table_);
  }

  void idle(std::uint32_t seen) noexcept {
    if (may_spin()) {
      slot_.state.store(worker_state::spinning, std::memory_order_release);
      const std::uint64_t began = now_ns();
      std::uint64_t waited = 0;
      do {
        // Put on a core with another process (often the parent), a spinner is useless: asleep, it is woken on a free
        // core.
        if (waited > polite_ns && let_others_run()) break;
        breakpoint(point::spin);
        for (int i = 0; i < 32; ++i) {
          if (table_.epoch.load(std::memory_order_relaxed) != seen) return;
          relax();
        }
        waited = now_ns() - began;
      } while (waited < worker_spins_ns);
    }
    slot_.state.store(worker_state::sleeping, std::memory_order_release);
    // seq_cst: `sleeping` is visible before the kernel compares the epoch; the parent stores the epoch, fences, then looks
    // for sleepers. One of the two sees the other.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    breakpoint(point::sleep_before);
    futex_wait(table_.epoch, seen);
    ++slept_;
    slot_.state.store(worker_state::running, std::memory_order_release);
    // Only this worker writes it. release: when it is counted it is seen to be awake, or asleep again.
    slot_.risen.store(slot_.risen.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  [[nodiscard]] bool may_spin() const noexcept {
    unsigned spinning = 0;
    for (unsigned other = 0; other < table_.workers; ++other) {
      if (other == index_) continue;
      if (table_.slots[other].state.load(std::memory_order_relaxed) == worker_state::spinning) ++spinning;
    }
    return spinning < table_.max_spinners;
  }

  void run_chunk(const claim& mine) {
    chunk& held = *mine.held;
    const shared_job& job = *held.job;
    chunk_frames& frames = table_.frames(mine.sequence);
    if (held.in_bytes != 0) {  // all lines at once, as in claim_chunk
      __builtin_prefetch(&frames.input);
      __builtin_prefetch(&frames.out, 1);
      __builtin_prefetch(&frames.output, 1);
    }
    if (job.id != job_) begin_job(job);

    source in = input_of(held, frames);
    const std::size_t expected = expected_.of(held.last - held.resume);
    const bool few = job.results && expected <= sizeof frames.output;
    sink out = few ? sink(segment_memory{nullptr, allocate_loose}, frames.out)
                   : sink(segment_memory{&frames, allocate_result});
    out.reserve(expected);
    running_chunk io;
    io.first = held.first;
    io.frame = held.in_bytes != 0 ? frames.input.data() : held.in != nullptr ? held.in->data() : nullptr;
    io.in = &in;
    io.out = &out;
    io.broadcast = &broadcast_;
    io.fail = record_failure;
    io.give = give_loose;
    io.process = process_id{identity_};
    io.mark = reinterpret_cast<const process_id*>(process_mark());
    io.self = this;
    io.held = &held;
    io.frames = &frames;
    io.attempt = mine.word.attempt();

    chunk_note& note = table_.note(mine.sequence);
    held.reached = run_blocks(job, mine, note, io);
    if (job.timed) lift_deadline();
    if (job.leave != nullptr) {
      job.leave(job.plan, io);
      if (this_process() != identity_) leave(0);
    }
    take_account(held, note);
    last_chunk_ = held.last - held.first;
    const std::uint64_t ran = held.reached - held.resume;  // others ran those below, or took those above
    ran_ += ran;
    ++chunks_;
    flush_output();
    if (ran != 0) expected_.saw(ran, out.size());
    out.take();  // the frame is the chunk's since its first segment
    breakpoint(point::done_before);
    const bool wake_parent = finish_chunk(table_, mine);
    breakpoint(point::done_after);
    while (slot_.kill_asked.load(std::memory_order_relaxed) == mine.word.bits()) let_others_run();
    // After `done`, before the next claim: a cursor always belongs to the chunk held.
    slot_.cursor.store(0, std::memory_order_relaxed);
    slot_.share.store(0, std::memory_order_relaxed);
    slot_.began.store(0, std::memory_order_relaxed);
    slot_.ended.store(0, std::memory_order_relaxed);
    arena_.hand_over();
    if (wake_parent) ring();
  }

  // Lets the parent take what is not begun. What is written for slices that a worker died in holds for this chunk only: they are as good
  // as begun.
  bool share(const shared_job& job, const claim& mine) noexcept {
    const chunk& held = *mine.held;
    std::uint64_t begun = std::max(held.resume, held.suspect_first + held.suspects);
    if (held.skip != nullptr) begun = std::max(begun, held.skip[held.skip[0]] + 1);
    const bool several = held.last - held.resume > 1 && held.last - held.first <= chunk_share::longest;
    if (!job.shared_out || !several || begun >= held.last) return false;
    const chunk_share all(mine.word.generation(), begun - held.first, held.last - held.first);
    slot_.share.store(all.bits(), std::memory_order_relaxed);
    return true;
  }

  // Returns the first slice that was not run because of the limit, or the chunk's end: a nearer one, if the parent has taken the rest.
  std::uint64_t run_blocks(const shared_job& job, const claim& mine, chunk_note& note, running_chunk& io) {
    chunk& held = *mine.held;
    std::uint64_t at = held.resume;
    const bool shared_out = share(job, mine);
    measurement of_chunk;
    std::uint64_t first_began = 0;
    std::uint64_t began = now_ns();  // of the next block: where the last one ended
    slot_.ended.store(began, std::memory_order_relaxed);
    if (at > held.first && job.skip != nullptr) job.skip(job.plan, io, held.first, at);
    const std::uint64_t* skip = held.skip == nullptr ? nullptr : held.skip + 1;
    const std::uint64_t* const skip_end = held.skip == nullptr ? nullptr : skip + held.skip[0];
    while (skip != skip_end && *skip < at) ++skip;  // collected before, when the rest had to be run again
    while (at < held.last) {
      const bool one_at_a_time = job.one_at_a_time || job.timed || changes_environment_;
      const std::uint64_t limit = job.limit.load(std::memory_order_relaxed);
      if (at >= limit) break;
      if (skip != skip_end && at == *skip) {
        if (job.skip != nullptr) job.skip(job.plan, io, at, at + 1);
        ++at;
        ++skip;
        continue;
      }
      const bool suspect = at >= held.suspect_first && at < held.suspect_first + held.suspects;
      const bool timed = job.passes && (long_slices_ || blocks_++ % timed_blocks == 0);
      const std::size_t most = suspect || one_at_a_time ? 1 : timed ? largest_timed_block : largest_block;
      std::uint64_t stop = std::min({held.last, limit, at + std::min(block_.slices(), most)});
      if (at < held.suspect_first) stop = std::min(stop, held.suspect_first);
      if (skip != skip_end) stop = std::min(stop, *skip);
      if (shared_out) stop = held.first + begin_slices(slot_, stop - held.first);
      if (stop == at) break;

      if (job.undo) {
        // The copy of the block before is overwritten: from here on it is done with.
        slot_.cursor.store(name_of_slices(at - held.first, 0), std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst);
        save_for_undo(job, at, stop);
        breakpoint(point::undo_saved);
      }
      if (job.timed) set_deadline(now_ns() + job.timeout_ns);
      // release: the copy saved for undo is complete before the cursor names the block.
      slot_.cursor.store(name_of_slices(at - held.first, stop - at), std::memory_order_release);
      breakpoint(point::slice_begin);
      passing_time parts;
      io.timed = timed ? &parts : nullptr;
      // What is saved for undoing is a whole block.
      const bool name_each =
          !job.undo && (job.name_each.load(std::memory_order_relaxed) || naming_.each(job.tight, stop - at));
      io.cursor = name_each ? &slot_.cursor : nullptr;
      const std::uint64_t broadcast_before = io.broadcast_ns;
      const std::uint64_t reached = job.run(job.plan, io, at, stop);
      // User code may have forked and returned here in the child: then this is not the worker, and the board is not ours.
      if (this_process() != identity_) leave(0);
      breakpoint(point::slice_end);
      arena_.slice_done();
      // A callable that changes the environment once will do so again: from now on no slice runs behind such a one in
      // the same block. (The first block is one slice.)
      if (job.environment.install()) changes_environment_ = true;
      const std::uint64_t ended = now_ns();
      const std::uint64_t took = ended - began;
      if (first_began == 0) {
        first_began = began;
        slot_.began.store(began, std::memory_order_relaxed);
      }
      slot_.ended.store(ended, std::memory_order_relaxed);
      looked_ = ended;
      if (job.tight && reached == stop) naming_.saw(name_each, stop - at, took);
      of_chunk.add(at, stop - at, took, io.broadcast_ns - broadcast_before, timed ? &parts : nullptr);
      began = ended;
      long_slices_ = took > long_slice_ns * (stop - at);
      if (!suspect && (!timed || long_slices_)) block_.adapt(took, short_block_ns, largest_block);
      at = reached < stop ? reached + 1 : stop;
      if (reached < stop && io.in->misread() && job.skip != nullptr) {
        // Where the next slice begins is known only from the beginning.
        *io.in = input_of(held, *io.frames);
        job.skip(job.plan, io, held.first, at);
      }
      if (reached < stop && !job.keep_going) break;
    }
    held.began_ns = first_began;
    held.ended_ns = began;
    of_chunk.write_to(held, note, io.broadcast_ns, shares_);
    return at;
  }

  // What the kernel has counted, every now and then: asking costs more than a short chunk does.
  void take_account(chunk& held, chunk_note& note) noexcept {
    unaccounted_ns_ += held.ran_ns;
    if (unaccounted_ns_ < account_ns) return;
    const std::uint64_t ran = std::exchange(unaccounted_ns_, 0);
    const account now = read_account();
    note.page_faults = now.page_faults - seen_.page_faults;
    note.peak_memory = now.peak_memory;
    note.peak_private = private_part(now);
    // A worker that sleeps in a slice has no use for a core; one that only computes, and had less of it than it took,
    // had to wait for one.
    const std::uint64_t had = now.cpu_ns - std::min(now.cpu_ns, seen_.cpu_ns);
    const bool slept_in_slices = now.gave_up - seen_.gave_up > std::exchange(slept_, 0);
    note.off_core_ns = slept_in_slices || now.lost == seen_.lost ? 0 : ran - std::min(ran, had);
    seen_ = now;
    held.noted |= chunk_note::memory;
  }

  // Of the most it ever had, what no other process has, about: without what is mapped together with others, and without
  // what it inherited and has not written to. A page that is copied is a fault that adds none.
  std::uint64_t private_part(const account& now) noexcept {
    // Looked at again only when there is an eighth more of it.
    if (now.peak_memory > peak_looked_at_ + peak_looked_at_ / 8) {
      peak_looked_at_ = now.peak_memory;
      peak_shared_ = resident_shared();
    }
    const std::uint64_t more = now.peak_memory - at_start_.peak_memory;
    const std::uint64_t faulted = (now.page_faults - at_start_.page_faults) * 4096;
    const std::uint64_t copied = std::min(inherited_, faulted - std::min(faulted, more));
    return now.peak_memory - std::min(now.peak_memory, peak_shared_ + inherited_ - copied);
  }

  // The timer first: whenever it strikes, the deadline is past. Until the next slice begins it stays the last one's, which the
  // cursor still names. A refused timer is made up for by the parent (crew/lateness.hpp).
  void set_deadline(std::uint64_t deadline) noexcept {
    timer_.set(late_signal_ == 0 ? deadline : deadline + late_grace_ns);
    if (late_signal_ != 0) warning_.set(deadline);
    slot_.deadline.store(deadline, std::memory_order_relaxed);
  }

  void lift_deadline() noexcept {
    timer_.clear();
    warning_.clear();
    slot_.deadline.store(0, std::memory_order_relaxed);
  }

  void begin_job(const shared_job& job) {
    forget_broadcast();
    limit_late_inner_threads();
    // A call like the one before: short ones are many, and cannot all be measured.
    if (run_ != job.run) {
      run_ = job.run;
      shares_ = {};
      expected_ = {};
      naming_ = {};
      blocks_ = 0;
    }
    long_slices_ = false;
    changes_environment_ = false;
    job.environment.install();  // and after each block that changed it
    job_ = job.id;
    block_ = {};
  }

  void forget_broadcast() noexcept {
    if (broadcast_.object != nullptr) broadcast_.destroy(broadcast_.object);
    broadcast_ = {};
  }

  void save_for_undo(const shared_job& job, std::uint64_t first, std::uint64_t last) {
    const memory_budget::lifted lifted(budget_);
    const block_of_memory block = job.locate(job.plan, first, last);
    std::byte* saved = slot_.undo.load(std::memory_order_relaxed);
    if (saved == nullptr || arena_.block_size(saved) < block.bytes) {
      auto* larger = static_cast<std::byte*>(arena_.allocate(std::max<std::size_t>(block.bytes, 4096), 64));
      slot_.undo.store(larger, std::memory_order_relaxed);
      arena_.deallocate(saved);
      saved = larger;
    }
    std::memcpy(saved, block.data, block.bytes);
  }

  static source input_of(const chunk& held, const chunk_frames& frames) {
    return held.in_bytes != 0 ? source(frames.input.data(), held.in_bytes) : source(held.in);
  }

  // The first piece of results that are too many for the board.
  static segment* allocate_result(void* frames, std::size_t capacity) {
    segment* made = make_segment(arena::here().allocate(sizeof(segment) + capacity, most_alignment), capacity);
    // A kill finds the segment whole or not at all: the compiler must not move its members behind the link.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    segment& out = static_cast<chunk_frames*>(frames)->out;
    if (out.next == nullptr) out.next = made;
    return made;
  }

  static segment* allocate_loose(void* /*self*/, std::size_t capacity) {
    return make_segment(arena::here().allocate(sizeof(segment) + capacity, most_alignment), capacity);
  }

  static void give_loose(chunk_io& base, void* loose, bool held) {
    auto& io = static_cast<running_chunk&>(base);
    io.self->arena_.give(loose_block::of(loose), held, io.frames->out.next);
  }

  // Called inside a catch block of the templates.
  static void record_failure(chunk_io& base, std::size_t slice, std::size_t named) {
    auto& io = static_cast<running_chunk&>(base);
    worker& self = *io.self;
    if (this_process() != self.identity_) leave(0);
    const bool suspect = slice >= io.held->suspect_first && slice < io.held->suspect_first + io.held->suspects;
    // It threw, so it is over: what it freed while it unwound may be all that is left to record it with.
    self.arena_.slice_done();
    const memory_budget::lifted lifted(self.budget_);
    try {
      const slice_failure failure = capture_exception(named, self.index_, suspect ? io.attempt : 1);
      self.out_of_memory_ = self.out_of_memory_ || failure.kind == failure_kind::memory;
      sink frame(segment_memory{nullptr, allocate_loose});
      frame.write(failure);
      auto* record = new (self.arena_.allocate(sizeof(failure_record))) failure_record{};
      record->slice = slice;
      record->frame = frame.take();
      record->next = io.held->failures;
      std::atomic_signal_fence(std::memory_order_seq_cst);  // as for segments: whole before it is linked
      io.held->failures = record;
    } catch (...) {
      // Not even a failure can be recorded without memory. Ending here is reported by the parent, with the slice.
      flush_output();
      leave(status_cannot_report);
    }
    if (!io.held->job->keep_going) {
      // The parent turns the lowest of these into the job's limit. `failed_job` last: it makes the slice count.
      self.slot_.failed_slice.store(slice, std::memory_order_relaxed);
      self.slot_.failed_job.store(io.held->job->id, std::memory_order_release);
      if (parent_sleeps(self.table_)) self.ring();
    }
  }

  board& table_;
  arena& arena_;
  bell parent_;
  worker_slot& slot_;
  unsigned index_;
  unsigned incarnation_;
  memory_budget& budget_;
  bool out_of_memory_ = false;
  bool bell_lost_ = false;  // nothing would wake the parent
  std::uint64_t max_slices_;
  std::uint64_t max_chunks_;
  std::uint64_t ran_ = 0;
  std::uint64_t chunks_ = 0;  // that it has run
  std::uint64_t last_chunk_ = 1;
  std::uint64_t identity_;
  std::uint64_t job_ = 0;  // whose broadcast arguments and block size these are
  broadcast_storage broadcast_;
  block_length block_;
  std::uint64_t burst_began_ = 0;
  std::uint64_t looked_ = 0;  // at the clock, for the last time
  run_fn run_ = nullptr;      // whose shares and expected bytes these are
  passing_shares shares_;
  expected_bytes expected_;  // of a chunk's results
  naming naming_;
  std::uint64_t blocks_ = 0;  // of slices that pass, not counting those of long ones
  bool long_slices_ = false;
  bool changes_environment_ = false;  // slices of this call leave another floating-point environment
  std::uint64_t unaccounted_ns_ = 0;
  account at_start_;
  account seen_;                      // what the last note reported
  std::uint64_t slept_ = 0;           // since then, for want of work
  std::uint64_t inherited_ = 0;       // bytes of private memory, shared with the caller until they are written to
  std::uint64_t peak_looked_at_ = 0;  // when peak_shared_ was
  std::uint64_t peak_shared_ = 0;
  int late_signal_;
  signal_timer warning_{late_signal_};
  signal_timer timer_{SIGKILL};
};

}  // namespace

void work(const worker_start& start, memory_budget& budget) { worker(start, budget).run(); }

}  // namespace forkful::detail
