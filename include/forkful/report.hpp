// What happened in one call: counted, not guessed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace [[gnu::visibility("default")]] forkful {

/// Where the time of one worker, or of the caller, went in one call. The parts of all workers and of the caller add up to
/// wall x (workers + 1).
struct time_split {
  std::chrono::nanoseconds start{0};       ///< caller: starting workers; worker: until it was there
  std::chrono::nanoseconds pass_in{0};     ///< caller: encoding slices; worker: decoding them
  std::chrono::nanoseconds wake{0};        ///< caller: publishing and waking; worker: from then to its first slice
  std::chrono::nanoseconds compute{0};     ///< in the callable
  std::chrono::nanoseconds idle{0};        ///< waiting, or running slices of another call
  std::chrono::nanoseconds pass_out{0};    ///< worker: encoding results
  std::chrono::nanoseconds reassemble{0};  ///< caller: decoding results and putting them in order

  [[nodiscard]] std::chrono::nanoseconds sum() const noexcept {
    return start + pass_in + wake + compute + idle + pass_out + reassemble;
  }
};

/// What one worker (with those that replaced it) did in the call.
struct worker_row {
  unsigned worker = 0;          ///< 0 ... workers - 1
  std::size_t slices = 0;       ///< slices that it ran; of an attempt that crashed or was too late only the time counts
  std::size_t chunks = 0;       ///< chunks that it brought back
  std::size_t deaths = 0;       ///< times that it died
  time_split time{};            ///< adds up to the call's wall
  std::size_t page_faults = 0;  ///< as the kernel counts them, minor and major
  std::size_t bytes_copied_on_write =
      0;                         ///< with a timeline only: private memory that it had to copy because it wrote to it
  std::size_t peak_memory = 0;   ///< most bytes resident at once since it started (shared pages included)
  std::size_t peak_private = 0;  ///< of those, about, what neither the caller nor another worker has
  std::chrono::nanoseconds off_core{0};  ///< of compute, about: another program or thread had its core (isolated pools)
  bool missing = false;                  ///< there is none: it could not be started (`warnings` says why)
};

/// Slices that took long: `count` of them together, `first` being the first of them.
struct slow_slices {
  std::size_t first = 0;
  std::size_t count = 1;  ///< more than 1 where slices are so short that they are timed in blocks
  unsigned worker = 0;
  std::chrono::nanoseconds time{0};      ///< of all `count` together
  std::chrono::nanoseconds off_core{0};  ///< of the chunk's, about: another program or thread had the core
  std::uint64_t call = 0;                ///< report::call of the call that they are of
};

/// One chunk on the timeline. Times count from the call's begin.
struct timeline_chunk {
  unsigned worker = 0;
  std::size_t first = 0;  ///< slices [first, first + count)
  std::size_t count = 0;
  std::size_t merged = 1;             ///< chunks that were drawn together because there were too many
  std::chrono::nanoseconds begin{0};  ///< when the worker took it
  std::chrono::nanoseconds end{0};    ///< when it was done with it
  std::chrono::nanoseconds pass_in{0};
  std::chrono::nanoseconds pass_out{0};
  std::uint64_t call = 0;            ///< report::call of the call that it is of; with `merged`, of the first one
  std::chrono::nanoseconds idle{0};  ///< with `merged`: between those chunks; the rest of [begin, end) is compute
};

/// Something that happened at one moment of the call.
struct timeline_event {
  enum class kind : std::uint8_t { worker_started, worker_died, slice_failed };
  kind what = kind::worker_started;
  unsigned worker = 0;
  std::size_t slice = 0;           ///< the slice it held or that failed; meaningless for worker_started
  std::chrono::nanoseconds at{0};  ///< from the call's begin
  std::string text{};              ///< "signal 11 (SIGSEGV)", "std::out_of_range: ..."
  std::uint64_t call = 0;          ///< report::call of the call that it happened in
};

/// What the caller was doing. Times count from the call's begin, steps do not overlap.
struct timeline_step {
  enum class kind : std::uint8_t { start, pass_in, wake, compute, idle, reassemble };
  kind what = kind::idle;
  std::chrono::nanoseconds begin{0};
  std::chrono::nanoseconds end{0};
};

/// What trace() and html() draw. Bounded: a long call, or many, are thinned by drawing neighbours together. Of a total, times
/// count from the begin of its first call.
struct timeline {
  std::vector<timeline_chunk> chunks{};  ///< by worker, then by begin; those of one worker do not overlap
  std::vector<timeline_event> events{};  ///< by time
  std::vector<timeline_step> caller{};   ///< by begin
  bool thinned = false;                  ///< some entries stand for several
};

/// A plain struct; every figure is of one call, or, from totals(), of all calls of a pool together: docs/report.md says how each
/// is added up.
struct report {
  std::string way{};                     ///< "serial", "thread", "auto", "snapshot" or "process"
  std::string verb{};                    ///< "map", "for_each", ...
  std::uint64_t pool = 0;                ///< distinguishes the pools of a process
  std::uint64_t call = 0;                ///< distinguishes the calls of a process, ascending
  std::chrono::nanoseconds began{0};     ///< CLOCK_MONOTONIC when the verb was entered
  std::size_t slices = 0;                ///< slices of the input
  std::size_t chunks = 0;                ///< of the call; those published again after a death are not counted twice
  unsigned workers = 0;                  ///< size of the pool; in a snapshot_pool no more than there are slices
  std::chrono::nanoseconds wall{0};      ///< from entering the verb to leaving it
  std::chrono::nanoseconds queued{0};    ///< of wall: from the first chunk's publication until a worker began with it
  std::chrono::nanoseconds away{0};      ///< of caller.idle: no thread asked the future or the imap for more
  bool beside_others = false;            ///< other calls were on the pool meanwhile: workers ran slices of those too
  time_split caller{};                   ///< where the caller's wall went
  std::vector<worker_row> per_worker{};  ///< one row a worker, by number
  std::size_t bytes_in = 0;              ///< data copied towards the workers; pointers into shared memory count nothing
  std::size_t bytes_broadcast = 0;       ///< of bytes_in: broadcast arguments, which are copied once
  std::size_t bytes_out = 0;             ///< data copied back as results
  std::size_t bytes_shared = 0;          ///< data that workers reached in shared memory without a copy
  std::size_t bytes_copied_on_write = 0;  ///< with a timeline only: of all workers
  std::size_t page_faults = 0;            ///< of all workers
  std::size_t peak_memory = 0;  ///< about the most that caller and workers had resident, shared pages counted once
  std::size_t arena_bytes = 0;  ///< shared memory in use when the call ended
  std::vector<slow_slices> slowest{};  ///< the five slowest, slowest first, at most one a chunk (serial_pool: any)
  std::size_t deaths = 0;              ///< workers that ended during the call
  std::size_t retries = 0;             ///< chunks published again
  unsigned threads_at_fork =
      0;  ///< threads that ran in the caller when a worker was forked from it; 0: none was forked
  std::vector<std::string> warnings{};  ///< what is worth knowing about how it was done, a sentence each
  std::string advice{};                 ///< what to do next, one sentence
  bool has_timeline = false;            ///< it was asked for (pool_options::record_timeline, FORKFUL_REPORT)
  bool finished = true;                 ///< false in a file left by a program that was killed in the middle of the call
  timeline recorded{};
  std::size_t calls = 1;  ///< of a total: how many were added up

  /// Where the time of all workers and the caller went: adds up to wall x (workers + 1).
  [[nodiscard]] time_split time() const noexcept;
  /// Longest compute of a worker over the mean of all; 1: perfectly even. 0 without workers that computed.
  [[nodiscard]] double imbalance() const noexcept;

  /// Readable in ten seconds: without colour, at most 80 columns, ending in a newline. The last line says what to do next.
  [[nodiscard]] std::string text() const;
  /// One JSON object, the fields of docs/report.md: times in nanoseconds, sizes in bytes.
  [[nodiscard]] std::string json() const;
  /// A trace in Chrome's JSON format for ui.perfetto.dev: one track a worker and one for the caller. Without a timeline there
  /// is only the call itself.
  [[nodiscard]] std::string trace() const;
  /// One self-contained page, which needs no network.
  [[nodiscard]] std::string html() const;
};

}  // namespace forkful
