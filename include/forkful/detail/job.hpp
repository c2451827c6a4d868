// The one door from the templates to src/: a call, with its types erased.
//
// A verb fills in a `job` of plain function pointers and hands it to an `engine`, the running part of a pool. Everything
// behind that door - loops, protocol, policy, system calls - is compiled once, in src/.
//
// The files beside this one, in the order in which to read them: prepare (from a verb's arguments to a job; callables, parts,
// costs, refusals and encoding are its chapters), arrival and plan (what `job::run` is), collect (what `job::collect` is), lazy
// (what `job::pull` reads); below them the codec: kinds, wire, stream, fields, travels, inner_spans.
//
// ---- How to write an engine ----
//
// This page is enough to write a back end: tests/backends/toy_engine.hpp was, and passes what every pool has to pass. A pool
// is a basic_pool<Way> (pool.hpp): Way::start makes the engine, and Way::passing says how slices pass. What follows is for
// present_way (prepare.hpp), where everything is there; * marks what only isolated pools have, whose workers are processes.
//
// The life of a call, and on which thread what is called:
//
//   begin      By the thread that entered the verb; several may at once. Stores the job's address, the owner, a copy of
//              the options, and the floating-point environment, which is that of every slice. Reads no input and runs
//              nothing. If it throws there was no call. Options that hold on every pool are checked before, also that
//              the call is not stopped already.
//   advance    Again and again, by one thread at a time, which is the caller from here on: not always the same one (futures are handed
//              on). Does all that the caller has to do; returns true once everything is collected or the call has ended early,
//              false when the wait_policy is met: met() is asked after each chunk that was collected. An engine without
//              workers runs slices here, whatever `until` and `only_publish` say: a submitted call is over when it has
//              begun. Not called at all for no slices, unless there is `pull`.
//   cancel     By any thread, also beside advance. An engine that cannot take back what was begun returns false.
//   conclude   Once, after advance has returned true (or for no slices). First fills in `happened`, then throws what the call throws:
//              the report is stored either way.
//   ~ongoing   Also of a call half way, or when the engine is gone: what it needs, it holds. Where there was no owner,
//              the call has ended before.
//
// advance may throw wrong_process. All else that ends a call early (no memory, what `progress` throws) goes to
// completion::stop with the exception, advance returns true, and conclude throws it behind the report: what advance
// throws itself has no report.
//
// What becomes of the slices, chunk by chunk. An engine cuts them as it likes: call_options::chunk is how many are to be in one, if it
// is not 0. Each is run once, all below one that failed are run, and the call ends with the failure of the lowest.
//
//   pull       Lazy input only, on the caller's thread, ascending. `slices` is no more than a hint until it has returned 0, which is
//              the end; an engine that reports progress then sets it to what there was. No more than
//              call_options::window slices are read ahead of what is collected (0: as the engine likes). What it throws
//              ends the input, and is thrown when what came before is run and collected (completion::input_failed, for
//              an engine that has read ahead). It is not called again then.
//   encode *   On the caller's thread, ascending. What it throws is a failure of the slice, if it was asked for one; of several,
//              each is asked for alone.
//   make_results   By the thread that runs the chunk, with at least its number of slices. Null where nothing comes
//              back, as drop_results. May throw bad_alloc.
//   run        On any thread, and for different chunks at once, unless the job is `alone`. One chunk has one chunk_io, of which
//              an engine here sets `first`, `results` and `fail`; run takes the chunk piece by piece, ascending, in pieces of
//              any length. `fail` is called inside the catch: it stores capture_exception(named, worker, 1) beside the
//              slice. Run throws only what `fail` throws. Where it returns less than `last`, that slice failed: unless
//              `keep_going`, nothing behind is begun any more; else the next piece begins behind it. Around it:
//              worker_scope, so that in_worker() and worker_index() are right there (and not in what is the caller's),
//              and floating_point_scope. After each piece floating_point::install; if that had something to put right,
//              pieces are of one slice from then on. The first is of one slice anyway.
//   skip *     In place of run, where the encoded slices are passed over.
//   locate *   Before run, so that an attempt can be undone.
//   collect    On the caller's thread, ascending unless `unordered`; once for each chunk of which anything ran, with the slices that
//              did, and with those that failed among them, in order: also behind a failure, where they have run by then. Not once
//              the call is stopped with a reason. bad_alloc ends the call; all else it throws is a failure of slice first + taken
//              (completion::fail_to_collect), and nothing more is begun. Cancelled slices of a try_ verb are collected too
//              (completion::collect_cancelled).
//   drop_results   Afterwards, by any thread; also of chunks that were never collected.
//   forget     Lazy input that is not encoded, on the caller's thread: no slice below is run any more. (encode forgets by itself.)
//
// An engine looks at call_options::stop before each slice, or each block of short ones: when it is asked to stop, what was begun is
// finished and collected, and the rest is cancelled - completion::stop(nullptr), missing(the first of them), collect_cancelled.
//
// The report: begin_job fills in what is known by then (way, numbers, slices, bytes shared and broadcast), a tally all else.
// The engine makes it of the job, the number of workers and the phase that the caller begins in; hands it `recorded`, if there is one
// (record), and the moment when work was there (published); gives it each chunk (add), slow slices or blocks
// (add_slow), and where it records, failures (add_failure); says what the caller does (watch.enter: pass_in while it
// reads or encodes, idle while slices run, also if it runs them, reassemble while it collects); sets happened.chunks;
// and ends in finish_into(happened, now). Slices are named and reported as the caller counts them: named(), all().
// Elsewhere - to run, collect and in failed_slice - they are the job's own.
//
// What there is to build from, under src/: backends/completion.hpp (failures, cancelling, progress), measure/tally.hpp (the report),
// errors/exceptions.hpp (capture_exception), worker/this_worker.hpp, os/floating_point.hpp, and os/cancellation.hpp, whose
// cancellation_deferred stands in every function that user code reaches without begin_job, run_job or conclude_job: advance,
// cancel, terminate, restart, destructors (unless it does next to nothing). With workers also backends/engine.hpp (how many),
// backends/inherited.hpp (wrong_process), board/chunking.hpp and board/pace.hpp (how much at a time).
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <forkful/codec.hpp>
#include <forkful/detail/clock.hpp>
#include <forkful/detail/host.hpp>
#include <forkful/errors.hpp>
#include <forkful/options.hpp>
#include <forkful/outcome.hpp>
#include <forkful/report.hpp>
#include <forkful/shared.hpp>
#include <forkful/slices.hpp>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace [[gnu::visibility("default")]] forkful {
namespace detail {

/// A run of bytes that another object owns.
struct block_of_memory {
  std::byte* data = nullptr;
  std::size_t bytes = 0;
};

/// Something made once per call in each worker (the decoded broadcast arguments), with its deleter.
struct broadcast_storage {
  void* object = nullptr;
  void (*destroy)(void*) = nullptr;
};

/// Where the time of some slices goes, for the report. Only what has to be decoded or encoded piece by piece is timed apart.
struct passing_time {
  std::uint64_t pass_in = 0;
  std::uint64_t pass_out = 0;
};

/// Which process it is. An enumeration, so that storing results that are integers cannot have changed it.
enum class process_id : std::uint64_t {};

/// What a chunk of slices reads from and writes to while it is being run.
struct chunk_io {
  std::size_t first = 0;                   ///< first slice of the chunk
  const char* frame = nullptr;             ///< the chunk's encoded slices, first byte; null when nothing was encoded
  source* in = nullptr;                    ///< the same, as a stream positioned at the next slice
  sink* out = nullptr;                     ///< isolated pools: where results are encoded
  void* results = nullptr;                 ///< pools in the caller's process: the chunk's std::vector<R>
  broadcast_storage* broadcast = nullptr;  ///< this worker's decoded broadcast arguments, made on first use
  passing_time* timed = nullptr;           ///< not null: these slices are to be timed
  std::uint64_t broadcast_ns = 0;          ///< how long decoding broadcast arguments took, in this chunk
  /// Not null: each slice is named there before it runs, as name_of_slices() says, for the parent after a crash.
  std::atomic<std::uint64_t>* cursor = nullptr;
  process_id process{};  ///< the process that runs this chunk
  /// Reads `process` there, and something else in a process that user code forked. A plain load, so that the compiler keeps
  /// it out of loops that cannot fork.
  const process_id* mark = &process;
  /// Call inside catch: stores the exception in flight as the failure of `slice`, which the caller counts as `named`
  /// (the two differ where a slice is a block of the caller's slices).
  void (*fail)(chunk_io&, std::size_t slice, std::size_t named) = nullptr;
  /// Isolated pools: hands memory of shared_allocate_loose() over with the results that are published next. It is freed with them, unless
  /// the collector takes it (finished_slices::keep). `held`: this worker goes on looking at it; then it is not freed before that ends.
  void (*give)(chunk_io&, void* loose, bool held) = nullptr;
};

/// How a cursor names `count` slices from the `offset`-th of the chunk on; 0 names none.
constexpr std::uint64_t name_of_slices(std::size_t offset, std::size_t count) noexcept {
  return static_cast<std::uint64_t>(offset) << 16 | count;
}

/// Runs slices [first, last) of the chunk. Returns `last`, or the slice that threw (already handed to `fail`).
using run_fn = std::size_t (*)(const void* plan, chunk_io&, std::size_t first, std::size_t last);

/// A slice that failed. `failure` names it as the caller counts.
struct failed_slice {
  std::size_t slice = 0;
  slice_failure failure;
};

/// The outcome of a chunk, in the caller's process. Slices [first, last) ran, except those in `failures`.
struct finished_slices {
  std::size_t first = 0;
  std::size_t last = 0;
  source* in = nullptr;     ///< isolated pools: encoded results of the slices that succeeded, in order
  void* results = nullptr;  ///< otherwise: the chunk's std::vector<R>, in the same order
  const std::vector<failed_slice>* failures = nullptr;  ///< by ascending slice; never null
  std::size_t* taken = nullptr;  ///< to be raised with every slice whose result was taken; shows where decoding failed
  /// Isolated pools: takes the piece of the results that `data` lies in, which is the collector's from now on: a part of the frame, to be
  /// freed by shared_deallocate() of what is returned, but not before everything is collected; or what a worker gave (chunk_io::give),
  /// to be freed by shared_deallocate_loose(), also if that was with results that were dropped since. Null: there is none, or it was taken
  /// before. Throws std::bad_alloc.
  void* (*keep)(void* keeper, const void* data) = nullptr;
  void* keeper = nullptr;
};

class recorder;
class totals;

/// The order in which an engine calls these, on which thread, and what they may throw: at the top of this file.
struct job {
  std::uint64_t began_ns = now_ns();  ///< when the verb was entered
  const char* verb = "map";           ///< its name

  // ---- Input ----

  std::size_t slices = 0;  ///< with `pull`: known so far
  std::size_t items = 0;   ///< slices are blocks of so many of the caller's, by slice_bound; 0: they are the caller's
  std::size_t slice_bytes = 0;  ///< about what encoding one slice takes, to bound a chunk; 0: nothing or unknown
  void* caller = nullptr;  ///< handed to `pull`, `forget`, `encode` and `collect`, which run in the caller's process
  /// Lazy input: reads up to `wanted` more slices and returns how many; 0: there are no more. Null: all are there.
  std::size_t (*pull)(void* caller, std::size_t wanted) = nullptr;
  /// Lazy input that is run where it was read: slices below `end` are run.
  void (*forget)(void* caller, std::size_t end) = nullptr;
  /// Encodes slices [first, last), asked for in ascending order, again only if it threw. Null: nothing is
  /// encoded. Returns how many bytes of it were copied data (handles into shared memory count nothing).
  std::size_t (*encode)(void* caller, std::size_t first, std::size_t last, sink&) = nullptr;
  std::size_t bytes_broadcast = 0;  ///< bytes copied for broadcast arguments, for the report
  std::size_t bytes_shared = 0;     ///< bytes that workers reach without a copy, likewise

  // ---- Run: by the workers ----

  run_fn run = nullptr;
  /// Passes over slices [first, last) of the encoded input without running them; null when the input is addressed by index.
  void (*skip)(const void* plan, chunk_io&, std::size_t first, std::size_t last) = nullptr;
  /// In workers that are processes: a chunk is over, and its input goes when this returns. Null: that is nothing to it.
  void (*leave)(const void* plan, chunk_io&) = nullptr;
  /// Mutating and bitwise: where slices [first, last) lie, so that an attempt can be undone. Null: it cannot.
  block_of_memory (*locate)(const void* plan, std::size_t first, std::size_t last) = nullptr;
  const void* plan = nullptr;  ///< handed to these four: readable in every worker at this address
  /// Which callable it is, where `run` and `code` do not say: calls that are alike in all three are cut by how long slices took before.
  std::uint64_t callable = 0;
  std::array<const void*, 2> code{};  ///< what `run` calls, if those are function pointers: workers need to have it

  // ---- Output: results, and the report ----

  /// Pools in the caller's process: makes and destroys the chunk's `results`. Null: there are none.
  void* (*make_results)(std::size_t slices) = nullptr;
  void (*drop_results)(void*) = nullptr;
  /// Takes a chunk's results. Called in ascending order (unless `unordered`), once for each chunk that ran. Null: nothing to
  /// take.
  void (*collect)(void* caller, const finished_slices&) = nullptr;
  std::shared_ptr<recorder> recorded{};  ///< records a timeline; null: none is asked for. The engine may take it

  // ---- Flags ----

  bool keep_going = false;  ///< try_ verbs: a failed slice costs one slice
  bool unordered = false;   ///< chunks are collected as they come
  bool alone = false;     ///< neighbours share memory (bits of a word): one worker runs, nothing is collected meanwhile
  bool results = false;   ///< results travel back (there is a frame to expect)
  bool in_place = false;  ///< for_each: a slice that ran must not run again
  bool mutates = false;   ///< in place, and slices are changed where they lie
  bool one_at_a_time = false;  ///< in place, slices not arithmetic: name the very slice that was half done
  bool passes = false;         ///< `run` times what chunk_io::timed asks for
  bool tight = false;          ///< `run` may be a loop that naming each slice makes longer

  /// The slice as the caller counts: the first one of the block.
  [[nodiscard]] std::size_t named(std::size_t slice) const noexcept {
    return items == 0 ? slice : slice_bound(items, slices, slice);
  }
  /// How many there are as the caller counts.
  [[nodiscard]] std::size_t all() const noexcept { return items == 0 ? slices : items; }
};

/// How long to carry a call on.
struct wait_policy {
  std::uint64_t until = for_ever;         ///< CLOCK_MONOTONIC nanoseconds; 0: do what can be done at once
  bool (*enough)(void* asker) = nullptr;  ///< asked after each chunk that was collected; null: to the call's end
  void* asker = nullptr;
  bool only_publish = false;  ///< until everything is on the board
  [[nodiscard]] bool met() const { return enough != nullptr && enough(asker); }
};

/// A call that has begun. Carried on by one thread at a time; only `cancel` may be called beside it. Destroying one that has
/// not ended stops lazy input and lets the rest end by itself.
class ongoing {
 public:
  ongoing() noexcept = default;
  ongoing(const ongoing&) = delete;
  ongoing& operator=(const ongoing&) = delete;
  virtual ~ongoing() = default;
  /// Publishes and collects, until the wait policy is met. True: the call has ended. Throws wrong_process.
  virtual bool advance(const wait_policy&) = 0;
  /// Takes back what no worker has begun; with `kill` ends the worker that is running it. True: the call was cancelled.
  virtual bool cancel(bool kill) = 0;
  /// Whether a worker has begun any of it; where the engine cannot tell, that it may have. By any thread.
  [[nodiscard]] virtual bool begun() { return true; }
  /// Once it has ended: completes the report, and throws what it has to throw.
  virtual void conclude() = 0;

  report happened;
  std::shared_ptr<totals> counted_in{};  ///< of its pool, which may be gone when this ends
};

/// The running part of a pool. Thread-safe.
class engine {
 public:
  /// `way`: its name.
  engine(const pool_options&, const char* way);
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;
  /// Lets what was submitted finish, unless an exception unwinds. Calls that go on without it throw `cancelled`, or end as ever.
  virtual ~engine() = default;
  [[nodiscard]] virtual unsigned size() const noexcept = 0;
  /// Begins a call. `job` has to live until it has ended; `owner`, if given, keeps it alive, and is held as long as anything of
  /// the call may be looked at: it is needed where the ongoing may be destroyed before the call has ended. Throws pool_closed
  /// (from terminate() to restart()), wrong_process, start_failed, std::invalid_argument for options that this pool cannot honour.
  virtual std::unique_ptr<ongoing> begin(job&, const call_options&, std::shared_ptr<void> owner) = 0;
  /// Ends all workers now. Calls that run throw `cancelled`; what is done stays.
  virtual void terminate() = 0;
  /// Lets what was submitted finish, and goes on with new workers; 0: as many as before.
  virtual void restart(unsigned workers) = 0;
  /// Never used twice in a process.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  /// Whether a timeline is to be recorded of its calls.
  [[nodiscard]] bool records() const noexcept { return records_; }

  [[nodiscard]] const char* way() const noexcept { return way_; }
  /// What all its calls came to.
  [[nodiscard]] const std::shared_ptr<totals>& sums() const noexcept { return sums_; }

 private:
  std::uint64_t number_;
  const char* way_;
  bool records_;
  std::shared_ptr<totals> sums_;
};

/// For a thread that carries on the calls that no other waits for. Thread-safe but for next(), which is one thread's. Lives no longer
/// than its engine, and no restart() comes meanwhile.
class port {
 public:
  port() noexcept = default;
  port(const port&) = delete;
  port& operator=(const port&) = delete;
  virtual ~port() = default;
  /// Leaves the call to the port, until it is destroyed; it was begun by the same engine. Others may carry it on all the same.
  virtual void take(ongoing&) = 0;
  /// Sleeps until a call that was left to it can be carried on: something of it is back, more of it can be published, or it ends.
  /// Returns which: a name, for the call may be gone already. Null: rung, or it is `until` (CLOCK_MONOTONIC nanoseconds; 0
  /// only looks). Each is returned again after an advance() only if there is more. Without calls it sleeps without waking.
  /// Throws wrong_process. Cost: as many looks as there are workers, not calls.
  virtual const ongoing* next(std::uint64_t until) = 0;
  /// Makes next() return null, at once or when it is called.
  virtual void ring() noexcept = 0;
};

/// An engine whose workers stay from call to call and are processes: for programs around forkful that drive it themselves.
class lasting_engine : public engine {
 public:
  using engine::engine;
  /// Never null. Throws wrong_process.
  virtual std::unique_ptr<port> open_port() = 0;
  /// Lets what was submitted finish and the workers leave in good order, however long that takes. Nothing more can be begun until
  /// restart(). False: it is `until` (CLOCK_MONOTONIC nanoseconds), and they have not yet; to be called again, or terminate().
  virtual bool finish(std::uint64_t until) = 0;
  /// Waits until a worker has got through what it does at its start (host::worker_starts); ends at once if there is none any more. False: it
  /// is `until`. Throws start_failed when as many in a row did not as one call gives up after. Cost: a look a millisecond. Calls wait for
  /// workers by themselves.
  virtual bool started(std::uint64_t until) = 0;
};

/// Runs the job to its end and stores its report as this thread's last, also when it throws. Throws the failure with
/// the lowest slice unless `keep_going`, and what engine::begin throws.
void run_job(engine&, job&, const call_options&);
/// engine::begin, with options checked and what the job knows of the report. Throws std::invalid_argument, and cancelled if it
/// is stopped already.
std::unique_ptr<ongoing> begin_job(engine&, job&, const call_options&, std::shared_ptr<void> owner);
/// Concludes a call that has ended, stores its report as this thread's last on that pool, and adds it to the pool's
/// total.
void conclude_job(std::uint64_t engine_number, ongoing&);
/// The report of the last call that this thread finished on the pool.
report last_report(const engine&);
/// All calls of the pool that have ended since it was made, or since its total was begun anew.
report total_report(const engine&);
void reset_total(engine&) noexcept;

std::unique_ptr<engine> start_serial(const pool_options&);
std::unique_ptr<engine> start_threads(const pool_options&);
std::unique_ptr<engine> start_auto(const pool_options&);
/// `around`: what a program that is more than C++ does at each fork; null: nothing.
std::unique_ptr<engine> start_snapshot(const pool_options&, const host* around = nullptr);
std::unique_ptr<lasting_engine> start_processes(const pool_options&, const host* around = nullptr);

/// CPUs this process may use: what a pool of 0 workers gets.
unsigned cpus_to_use() noexcept;

/// Segments in shared memory that this process owns. Throws start_failed, arena_exhausted when they are used.
segment_memory shared_segments() noexcept;
void free_shared_segments(segment* chain) noexcept;

/// Ends a process that user code forked inside a slice and that came back here: it is no worker.
[[noreturn]] void leave_fork() noexcept;

/// Checks where map_into is to write: throws std::invalid_argument unless there are `slices` places, not_shared if workers
/// (`isolated`) cannot reach them.
void check_room(const void* data, std::size_t elements, std::size_t element_bytes, std::size_t slices, bool isolated);

/// Throws pool_closed: the pool was moved from.
[[noreturn]] void throw_moved_from();

/// Throws not_shared: the memory that the verb was to change in place is not shared with the workers.
[[noreturn]] void throw_not_shared(const char* verb);
/// The same of a span of mutable elements that is an argument.
[[noreturn]] void throw_argument_not_shared(const char* verb);
/// The same of one inside of something: `holder` is its type.
[[noreturn]] void throw_inner_span_not_shared(const char* verb, std::string_view holder);

/// Moves an object into shared memory for the length of a call.
template <class T>
class shared_copy {
 public:
  explicit shared_copy(T&& object) : object_(static_cast<T*>(shared_allocate(sizeof(T), alignof(T)))) {
    ::new (static_cast<void*>(object_)) T(std::move(object));
  }
  shared_copy(const shared_copy&) = delete;
  shared_copy& operator=(const shared_copy&) = delete;
  ~shared_copy() {
    object_->~T();
    shared_deallocate(object_);
  }
  const T* get() const noexcept { return object_; }

 private:
  T* object_;
};

}  // namespace detail
}  // namespace forkful
