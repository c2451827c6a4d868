// The board: the table in shared memory through which the parent publishes chunks and workers hand them back.
// It is the whole protocol between the processes; docs/protocol.md has it in prose.
//
// Invariants (numbers as in docs/protocol.md):
//  1. A chunk is claimed by compare-exchange of its word from ready to running, which names the claimer in the same
//     instant. There is no moment in which a claimed chunk names no worker.
//  2. Only the parent takes a running chunk away again, and only after the process its word names has ended.
//  3. Every word has one writer at a time. A worker writes its own slot, and the chunk it holds. All else is the parent's.
//     `next` is the exception: a hint that any process may overwrite and none relies on.
//  4. Entry i of the ring is used again only when every chunk up to i is off the board.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <forkful/detail/job.hpp>

#include "os/floating_point.hpp"

namespace forkful::detail {

// ---- A chunk's word: which worker holds it, in one atomic value ----------------------------------------------------

enum class chunk_state : std::uint64_t { empty = 0, ready = 1, running = 2, done = 3 };

// 63..32 generation (counts publications, so that a claim can never hit a later use of the entry) | 31..20 worker
// 19..10 incarnation | 9..2 attempt | 1..0 state
class chunk_word {
 public:
  constexpr explicit chunk_word(std::uint64_t bits) noexcept : bits_(bits) {}
  constexpr chunk_word(chunk_state state, std::uint32_t generation, unsigned worker, unsigned incarnation,
                       unsigned attempt) noexcept
      : bits_(std::uint64_t{generation} << 32 | (std::uint64_t{worker} & 0xfff) << 20 |
              (std::uint64_t{incarnation} & 0x3ff) << 10 | (std::uint64_t{attempt} & 0xff) << 2 |
              static_cast<std::uint64_t>(state)) {}

  [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }
  [[nodiscard]] constexpr chunk_state state() const noexcept { return static_cast<chunk_state>(bits_ & 3); }
  [[nodiscard]] constexpr std::uint32_t generation() const noexcept { return static_cast<std::uint32_t>(bits_ >> 32); }
  [[nodiscard]] constexpr unsigned worker() const noexcept { return static_cast<unsigned>(bits_ >> 20 & 0xfff); }
  [[nodiscard]] constexpr unsigned incarnation() const noexcept { return static_cast<unsigned>(bits_ >> 10 & 0x3ff); }
  [[nodiscard]] constexpr unsigned attempt() const noexcept { return static_cast<unsigned>(bits_ >> 2 & 0xff); }

  [[nodiscard]] constexpr chunk_word claimed_by(unsigned worker, unsigned incarnation) const noexcept {
    return {chunk_state::running, generation(), worker, incarnation, attempt()};
  }
  [[nodiscard]] constexpr chunk_word finished() const noexcept {
    return chunk_word(bits_ | static_cast<std::uint64_t>(chunk_state::done));
  }

 private:
  std::uint64_t bits_;
};

// How far a worker has begun its chunk, and how far it may go, in one word, so that no slice is both begun by it and taken by the
// parent. 63..48 low bits of the chunk's generation | 47..24 first slice that is not begun | 23..0 end; both as offsets in the chunk.
class chunk_share {
 public:
  static constexpr std::uint64_t longest = 0xffffff;  // slices of a chunk that may be shared

  constexpr explicit chunk_share(std::uint64_t bits) noexcept : bits_(bits) {}
  constexpr chunk_share(std::uint32_t generation, std::uint64_t begun, std::uint64_t end) noexcept
      : bits_(std::uint64_t{generation & 0xffff} << 48 | begun << 24 | end) {}

  [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }
  // Those of all chunks that are on the board at a time differ.
  [[nodiscard]] constexpr bool is_of(std::uint32_t generation) const noexcept {
    return bits_ != 0 && bits_ >> 48 == (generation & 0xffff);
  }
  [[nodiscard]] constexpr std::uint64_t begun() const noexcept { return bits_ >> 24 & longest; }
  [[nodiscard]] constexpr std::uint64_t end() const noexcept { return bits_ & longest; }
  [[nodiscard]] constexpr chunk_share with_begun(std::uint64_t begun) const noexcept {
    return chunk_share((bits_ & ~(longest << 24)) | begun << 24);
  }
  [[nodiscard]] constexpr chunk_share with_end(std::uint64_t end) const noexcept {
    return chunk_share((bits_ & ~longest) | end);
  }

 private:
  std::uint64_t bits_;
};

constexpr unsigned max_workers = 1000;  // fits the word's 12 bits, and the arena's slots
constexpr unsigned max_attempts = 255;  // fits the word's 8 bits

// ---- What lies in shared memory ------------------------------------------------------------------------------------

// A call as workers see it. Written by the parent before the first chunk of it is published. Two cache lines, of which most chunks
// need the first alone.
struct alignas(64) shared_job {
  std::uint64_t id = 0;  // never 0, never used twice by a board
  run_fn run = nullptr;
  const void* plan = nullptr;
  void (*leave)(const void* plan, chunk_io&) = nullptr;
  // Slices at or above it are skipped, also inside running chunks. Written by the parent alone.
  std::atomic<std::uint64_t> limit{~std::uint64_t{0}};
  floating_point environment;  // of the thread that called the verb
  // A worker has crashed: each slice is named from now on. Written by the parent alone.
  std::atomic<bool> name_each{false};
  bool results = false;  // that travel: there is a frame to expect
  bool one_at_a_time = false;
  bool keep_going = false;
  bool passes = false;      // `run` times what chunk_io::timed asks for
  bool tight = false;       // `run` may be faster where slices are not named one by one
  bool shared_out = false;  // the parent may take slices back that a worker has not begun
  bool undo = false;        // in place, several attempts: keep a copy of each block before it is run
  bool timed = false;       // there is a timeout

  alignas(64) std::uint64_t timeout_ns = 0;  // a slice that takes longer is late; 0: none is
  void (*skip)(const void* plan, chunk_io&, std::size_t first, std::size_t last) = nullptr;
  block_of_memory (*locate)(const void* plan, std::size_t first, std::size_t last) = nullptr;
};
static_assert(sizeof(shared_job) == 128);

// A slice that threw, as its worker left it. Linked the moment it happens, so that a later crash in the same chunk does not
// take the record with it.
struct failure_record {
  failure_record* next = nullptr;
  std::uint64_t slice = 0;
  segment* frame = nullptr;  // an encoded slice_failure
};

// One entry of the ring: what a worker is asked, and what it answers, each in a cache line of its own, so that a chunk costs both sides as
// few trips of a line as can be (docs/protocol.md, 21).
struct alignas(128) chunk {
  // ---- The request: the parent's, while no worker holds the chunk. ----
  const shared_job* job;  // null: the entry is off the board
  std::uint64_t first;    // slices [first, last)
  std::uint64_t last;
  segment* in;  // encoded slices, or null
  // Slices [first, resume) are not to be run again, because they were run in place before a worker died. `first` never moves: encoded
  // input begins there.
  std::uint64_t resume;
  // Slices to run one by one, because a worker died in this block: so many from suspect_first on.
  std::uint64_t suspect_first;
  std::uint32_t suspects;
  std::uint32_t in_bytes;  // of encoded slices that lie in `input`; 0: they are in `in`
  // Slices that have used up their attempts and are not to be run again, ascending, `skip[0]` of them from `skip[1]` on.
  const std::uint64_t* skip;

  // ---- The answer: the parent's until it publishes, then the holder's. The parent spins on the first line, so that it is written once
  // a chunk. ----
  alignas(64) std::atomic<std::uint64_t> word;
  failure_record* failures;  // newest first
  std::uint64_t reached;     // slices [first, reached) were run or failed; the rest was skipped for the limit
  // For the report. Times are CLOCK_MONOTONIC nanoseconds.
  std::uint64_t began_ns;  // when its first block began; 0: none did
  std::uint64_t ended_ns;  // when the last one ended; with none, when it was begun to be run
  std::uint64_t ran_ns;    // how long all of them took
  // Of ran_ns, in 65536ths: decoding slices, encoding results. Measured on some blocks.
  std::uint16_t in_share;
  std::uint16_t out_share;
  std::uint32_t noted;  // which members of the chunk's note are of this chunk
};
static_assert(sizeof(chunk) == 128);

// Frames so small that they need no memory of their own, beside their chunk so that others need not touch them.
struct alignas(128) chunk_frames {
  // Encoded slices: chunk::in_bytes of them, which the parent writes before it publishes.
  std::array<char, 64> input;
  // Where the call has results: those of the slices that succeeded, encoded; the first piece, and from its `next` on those in the
  // worker's memory. Linked as they are made, so that the parent can free what a dead worker had written. The parent's until it
  // publishes, then the holder's.
  segment out;
  std::array<char, 128> output;  // the data of `out`

  void no_results() noexcept { out = {nullptr, sizeof output, 0}; }
};
static_assert(offsetof(chunk_frames, output) == offsetof(chunk_frames, out) + sizeof(segment));

// What few chunks report, likewise. Written like the answer.
struct alignas(64) chunk_note {
  static constexpr std::uint32_t slowest = 1;
  static constexpr std::uint32_t memory = 2;

  // The block that took longest, where there were several.
  std::uint64_t slow_first;
  std::uint64_t slow_count;
  std::uint64_t slow_ns;
  // What the kernel has counted for this worker: faults since the last note; the most it ever had, in bytes, and of that what
  // is its alone; for how long of what it ran since the last note something else had its core.
  std::uint64_t page_faults;
  std::uint64_t peak_memory;
  std::uint64_t peak_private;
  std::uint64_t off_core_ns;
};
static_assert(sizeof(chunk_note) == 64);

enum class worker_state : std::uint32_t { running = 0, spinning = 1, sleeping = 2 };

// A worker's own words. Reset by the parent after the worker's death, but for `risen`, which only grows. In two cache
// lines: the first is looked at by the parent each time it publishes a chunk, the second changes with each block.
struct alignas(128) worker_slot {
  std::atomic<worker_state> state{worker_state::running};
  // How often it rose from sleep. Stored after the state that says so.
  std::atomic<std::uint32_t> risen{0};
  // 1 once the parent would notice the worker's end. Until then it claims nothing: what it held would be lost for good.
  std::atomic<std::uint32_t> watched{0};
  // The lowest slice that threw, of job `failed_job`.
  std::atomic<std::uint64_t> failed_job{0};
  std::atomic<std::uint64_t> failed_slice{0};
  // When it was there, CLOCK_MONOTONIC nanoseconds; 0: it is not yet.
  std::atomic<std::uint64_t> ready{0};
  // The word of a chunk whose holder is about to be killed by its parent (future::cancel); 0: none. Written by the parent. Once
  // that chunk is done the worker claims nothing before this is something else, so that no other call's slice is lost.
  std::atomic<std::uint64_t> kill_asked{0};
  // Where the copy of the block being run lies (shared_job::undo).
  std::atomic<std::byte*> undo{nullptr};

  // The slices that are being run, one or a block of them, as name_of_slices() says: 0 none. Cleared before the chunk is claimed, so
  // that a cursor always belongs to the chunk held.
  alignas(64) std::atomic<std::uint64_t> cursor{0};
  // When the slice being run will have had its time, CLOCK_MONOTONIC nanoseconds; 0: it has no limit. Written after the
  // timer was set, so a worker that its timer killed has a deadline that is past.
  std::atomic<std::uint64_t> deadline{0};
  // A chunk_share of the chunk held; 0: the parent may take nothing of it. Set to 0 before the next chunk is claimed.
  std::atomic<std::uint64_t> share{0};
  // chunk::began_ns and ended_ns so far. Set to 0 before the next chunk is claimed.
  std::atomic<std::uint64_t> began{0};
  std::atomic<std::uint64_t> ended{0};
};
static_assert(sizeof(worker_slot) == 128);

constexpr std::size_t ring_size = 2048;

struct board {
  // Written by the parent.
  std::atomic<std::uint64_t> published{0};  // chunks published so far: entries [reclaimed, published) are in use
  std::atomic<std::uint64_t> reclaimed{0};  // every chunk below is done with
  std::atomic<std::uint32_t> epoch{0};      // changes with every publication: idle workers watch it and sleep on it
  std::atomic<std::uint32_t> closing{0};

  // Written by the parent before it sleeps, read by workers after each chunk.
  alignas(64) std::atomic<std::uint32_t> parent_asleep{0};
  std::atomic<std::uint64_t> wanted{0};  // ring when this chunk is done (any worker out of work rings too)

  // A hint where to look first: mostly, no chunk below it is ready (relief.cpp points at what is urgent). Never relied on.
  alignas(64) std::atomic<std::uint64_t> next{0};

  unsigned workers = 0;
  unsigned max_spinners = 0;
  worker_slot* slots = nullptr;
  // ring_size of each, without meaning before an entry is published.
  chunk* ring = nullptr;
  chunk_frames* small_frames = nullptr;
  chunk_note* notes = nullptr;

  [[nodiscard]] chunk_note& note(std::uint64_t sequence) noexcept { return notes[sequence % ring_size]; }
  [[nodiscard]] chunk_frames& frames(std::uint64_t sequence) noexcept { return small_frames[sequence % ring_size]; }
  [[nodiscard]] chunk& entry(std::uint64_t sequence) noexcept { return ring[sequence % ring_size]; }
};

// ---- The worker's side ----------------------------------------------------------------------------------------------

// A chunk that this worker holds.
struct claim {
  chunk* held = nullptr;  // null: the board is closing
  std::uint64_t sequence = 0;
  chunk_word word{0};
};

// Claims the first ready chunk, looking from the hint on and then over all that is in use. Empty when there is none.
claim claim_chunk(board&, unsigned worker, unsigned incarnation) noexcept;

// Marks the chunk done and says whether the parent sleeps and wants to know.
bool finish_chunk(board&, const claim&) noexcept;

// Before a worker begins the slices up to the offset `wanted` of its chunk. Returns how far it may go: less where the parent has taken
// the rest, and what was begun before where it has taken all.
std::uint64_t begin_slices(worker_slot&, std::uint64_t wanted) noexcept;

// The parent's side: takes from the worker that holds a chunk of this generation what it has not begun, but for the first `left` slices
// of that. Returns the offset from which on they are the parent's; its end, where nothing is left to take, or it is not to be shared.
std::uint64_t take_unbegun(worker_slot&, std::uint32_t generation, std::uint64_t end, std::uint64_t left) noexcept;

// True when the parent sleeps: for a worker that found no work, or whose slice failed.
bool parent_sleeps(board&) noexcept;

// True if some worker is awake: it will come by by itself, now or when its chunk is done.
bool any_worker_awake(const board&) noexcept;

// True if no worker sleeps or looks for work.
bool all_running(const board&) noexcept;

// Wakes one sleeping worker unless another is looking for work right now.
void wake_one(board&) noexcept;

// The same without asking whether a worker is looking.
void wake_sleeper(board&) noexcept;

// What the parent knows of the workers it woke: until they get to run they seem to sleep.
struct wakings {
  std::uint64_t began = 0;    // the last one, CLOCK_MONOTONIC nanoseconds
  std::uint64_t pending = 0;  // had been woken and not risen, that one included
  std::uint64_t risen = 0;    // how often all workers had risen then
};

// Wakes a sleeper for each unclaimed chunk that no awake worker is looking for, nor will in a moment: for a caller that
// will not look again soon. Behind the mutex of the owner of `known`. `now` is about now_ns(). Cost: a load a worker,
// and a system call if a worker is to be woken.
void wake_for_unclaimed(board&, wakings& known, std::uint64_t now) noexcept;

// ---- The parent's side ----------------------------------------------------------------------------------------------

// Publishes entry `published` of the ring; its plain members are already written. Every chunk below `reclaimed` is done with.
void publish_chunk(board&, std::uint64_t reclaimed, unsigned attempt, std::uint32_t generation) noexcept;
// On an empty board: goes on with the first entry of the ring. Those who make few chunks at a time use the same few entries again and
// again, which are in their caches. Every chunk below `published` is done with. Returns the next chunk's sequence.
std::uint64_t begin_ring(board&) noexcept;
// Publishes an entry again, whose holder has ended.
void publish_again(board&, std::uint64_t sequence, unsigned attempt, std::uint32_t generation) noexcept;
// How many published chunks were probably not claimed yet.
std::uint64_t probably_unclaimed(const board&) noexcept;

}  // namespace forkful::detail
