// The plain option structs of pools and calls. Every member states its default and when to touch it.
#pragma once

#include <chrono>
#include <cstddef>
#include <forkful/detail/standard_library.hpp>
#include <functional>
#include <stop_token>

namespace [[gnu::visibility("default")]] forkful {

/// Where a process pool's workers come from. (A snapshot_pool's are forked, whatever is said: they are to see the caller's memory.)
enum class start_method {
  automatic,  ///< the template if forkful::init was called in this process, else fork
  fork,  ///< copies of the caller at that moment: globals, environment, open files, everything (docs/inheritance.md).
         ///< Unsafe while other threads hold locks that slices need; takes longer the more memory the caller has
         ///< touched (15 ms a worker and GB)
  forkserver,  ///< from the template that forkful::init made, as automatic; without init the pool throws start_failed
  zygote  ///< from a template of the pool's own, which is forked once from the caller, whatever threads run, when the
          ///< pool is made or restarted: all workers, replacements too, see the program as it was then
};

/// How a pool is made. Every member may be left at its default. A `serial_pool` has no workers: all of it is without effect.
struct pool_options {
  /// Worker processes. 0: every CPU this process may use (affinity mask and cgroup quota), and in a worker
  /// of another pool its share of them, at least 1.
  unsigned workers = 0;
  /// Set it to insist on one way, or where workers have to see what the program has set up since forkful::init.
  start_method start = start_method::automatic;
  /// Runs once in each worker before its first slice, also in replacements: to open files, seed generators, load a model. A
  /// worker in which it throws or crashes is replaced; when that goes on, the verb throws start_failed and says why.
  void (*on_worker_start)() = nullptr;
  /// Runs in each worker that leaves in good order (to write coverage, say: docs/inheritance.md): with its pool, for
  /// max_slices_per_worker, at the end of a call on a snapshot_pool. Not after a crash. What it throws is ignored; a
  /// worker that has not left after 10 s is killed.
  void (*on_worker_exit)() = nullptr;
  /// Replaces a worker after so many slices, for callables that leak; 0: never. Chunks are never larger. In a call no
  /// worker runs more slices; one that has run some in an earlier call may come to less than twice as many.
  std::size_t max_slices_per_worker = 0;
  /// Bytes that a worker may take beyond what it has after on_worker_start: private memory (as RLIMIT_DATA counts it: mapped,
  /// not only touched), and shared memory since its chunk began. Past it the slice fails with std::bad_alloc, and the worker is
  /// replaced after the chunk. 0: no limit.
  std::size_t worker_memory_limit = 0;
  /// How many threads libraries may use inside a worker: OpenMP, OpenBLAS, MKL, BLIS and oneTBB. Those that are loaded
  /// when a worker starts are set by a call, those loaded later find it in the environment (OMP_NUM_THREADS and so on;
  /// oneTBB has no such variable, and is set before the next call). 0: leave alone. More than 1 pays only with fewer
  /// workers than CPUs. A slice, or on_worker_start, may set its own.
  unsigned inner_threads = 1;
  /// Keeps each worker on a core of its own, by the machine's topology: neighbouring workers on neighbouring cores, and only
  /// where this process may run. With more workers than cores they share, in turn. For long calls on a machine that does
  /// nothing else; two pools that pin share the same cores. Throws start_failed where the system does not let it be done.
  bool pin = false;
  /// Records what report::trace() and report::html() draw: which worker ran which slices when, and what workers copied
  /// on write. Costs at most 100 ns a chunk, and memory that is bounded. FORKFUL_REPORT turns it on for a whole
  /// program. A serial_pool records it too.
  bool record_timeline = false;
  /// Replaces a worker after so many chunks, whatever their size; 0: never.
  std::size_t max_chunks_per_worker = 0;
};

/// How far a call has come.
struct progress {
  std::size_t done = 0;   ///< slices that were run or have failed, those of chunks that are being run included
  std::size_t total = 0;  ///< slices of the input; 0: not known yet (imap of unsized input)
  std::chrono::nanoseconds elapsed{0};
  unsigned busy = 0;  ///< workers that are running a slice
};
/// Called on the caller's thread. What it throws ends the call and is thrown by the verb.
using progress_fn = std::function<void(const progress&)>;

/// How one call is carried out: `pool.with(call_options{.chunk = 100}).map(...)`.
struct call_options {
  /// Slices per chunk. 0: automatic, larger while much is left and smaller towards the end, and by how long slices of the same callable
  /// took before; what a worker holds and has not begun goes to another that has nothing to do, or once its chunk takes 20 ms: so
  /// slices may differ wildly in length. Any other number is kept to.
  std::size_t chunk = 0;
  /// How long one slice may take, from its first instruction to its last (the first slice of a call in each worker also
  /// decodes the broadcast arguments). 0: as long as it wants. The worker of a late slice is killed and replaced, also if it
  /// is stopped; the slice fails with slice_timeout unless it has attempts left, the other slices of its chunk do not. Costs
  /// about a microsecond a slice. A `serial_pool` enforces nothing: nothing is there to end the caller.
  std::chrono::nanoseconds timeout{0};
  /// How often a slice may be begun when workers die or are late while they run it; its neighbours are not begun again. (One
  /// exception: docs/limitations.md, "A block instead of a slice".) Exceptions are never retried. At least 1.
  /// Verbs that work in place take more than 1 only for bitwise elements (they are put back before the next attempt);
  /// otherwise they throw std::invalid_argument.
  unsigned attempts = 1;
  /// imap: how many inputs are read ahead of the results that were taken. 0: two chunks a worker.
  std::size_t window = 0;
  /// Called with how far the call has come, at most ten times a second, and once at its end. Futures and iterators call
  /// it while a thread waits for them.
  progress_fn progress{};
  /// When it is asked to stop, slices that are being run are finished, the others are not begun, and the verb throws
  /// `cancelled`; try_ verbs return the outcomes they have and `cancelled` for the others. Asked before: throws at once.
  std::stop_token stop{};
};

}  // namespace forkful
