// One call on workers in other processes, seen from the parent: publishes its chunks, takes them back, recovers what
// dead workers leave behind.
//
// Owns the call's frames in shared memory until they are collected. Two kinds of steps: those that touch the board run behind
// the coordinator's mutex (several threads may have calls on it); those that run user code - reading the input, encoding,
// decoding - run on the caller's own thread, with the mutex released.
//
// Invariants (docs/protocol.md):
//  6. All slices below the lowest failing one are run; slices at or above it are skipped as soon as the parent knows.
//  7. Of a chunk whose worker died, what had run before the slice that it was at comes back; what comes after it is
//     published again. Where only a block of slices is known, that block is run once more, slice by slice; in place all
//     of it has failed.
// 11. Nothing a worker wrote is believed before it is checked against the bounds of that worker's memory.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "backends/completion.hpp"
#include "backends/elsewhere/crash.hpp"
#include "backends/elsewhere/parent_board.hpp"
#include "backends/elsewhere/small_frames.hpp"
#include "backends/input_reader.hpp"
#include "codec/expected_bytes.hpp"
#include "measure/tally.hpp"

namespace forkful::detail {

// A chunk from its encoding to the collecting of its results.
struct chunk_in_flight {
  enum class stage { waiting, on_board, back };  // for room on the board; published; its results are here

  stage where = stage::waiting;
  std::uint64_t sequence = 0;      // on the board
  std::uint64_t first = 0;         // encoded input begins with this slice
  std::uint64_t last = 0;          // slices [first, last)
  std::uint64_t collect_from = 0;  // results begin with this slice: `first`, unless some were collected before
  std::uint64_t resume = 0;        // slices below were run in place, or collected, and are not to be run again
  std::uint64_t reached = 0;       // back: slices below were run or failed
  bool urgent = false;             // taken from a chunk that turned out long
  segment* in = nullptr;
  small_input in_here;              // instead, where it is little
  std::shared_ptr<void> shared_in;  // owns `in` where a crash has parted the chunk, which is to be run in two pieces
  small_output out_here;            // back: the first of the results
  segment* out = nullptr;           // back: the others
  unsigned worker = 0;              // back: the worker that ran it
  unsigned incarnation = 0;         // back: which of its processes
  unsigned heap_slot = 0;           // back: of the heap with the results
  std::vector<failed_slice> failures;
  shared_vector<std::uint64_t> skip;  // slices that have used up their attempts, ascending, behind their number

  [[nodiscard]] bool given_up(std::uint64_t slice) const noexcept {
    return !skip.empty() && std::binary_search(skip.begin() + 1, skip.end(), slice);
  }
};

class call;
class call_port;

// What a port remembers of a call that was left to it. Behind the coordinator's mutex.
struct left_to_port {
  call_port* port = nullptr;  // null: none
  const ongoing* known_as = nullptr;
  std::list<call*>::iterator where{};
  bool ready = false;  // it is among the port's news
};

class call : public retirable {
 public:
  // `work` must live as long as the call unless `owner` keeps it alive.
  call(parent_board& where, job& work, const call_options& options, std::uint64_t number, std::shared_ptr<void> owner);
  ~call() override;

  // ---- On the caller's thread, with the mutex held; it is released while user code runs. ----

  // Reads and encodes the next chunk and publishes it, if there is one and there is room. False: nothing was done.
  bool feed(const std::shared_ptr<call>& self, std::unique_lock<std::mutex>& lock);
  // When further input may be read, CLOCK_MONOTONIC nanoseconds, if the caller waits for single results; 0: at any time.
  [[nodiscard]] std::uint64_t input_after() const noexcept;
  // Collects what is back, in order. False: nothing was done.
  bool collect(const std::shared_ptr<call>& self, std::unique_lock<std::mutex>& lock, const wait_policy& how_long);
  // Reports the progress, if the caller asked for it and it is time.
  void report_progress(std::unique_lock<std::mutex>& lock, bool last);
  // Throws what the call has to throw.
  void conclude();

  // ---- Behind the mutex. ----

  // Nothing is left to publish or to collect.
  [[nodiscard]] bool ended() const noexcept;
  // There may be more to publish.
  [[nodiscard]] bool more_input() const noexcept;
  // The chunk that collect() waits for is done.
  [[nodiscard]] bool something_back() noexcept;
  // A worker has begun some of it.
  [[nodiscard]] bool begun() noexcept;
  // Something more could be published now, were it asked to.
  [[nodiscard]] bool can_publish() const noexcept;
  // The sequences of its chunks on the board.
  template <class Visit>
  void for_each_on_board(Visit visit) const {
    for (const chunk_in_flight& what : in_flight_) {
      if (what.where == chunk_in_flight::stage::on_board) visit(what.sequence);
    }
  }
  // There is something that waits for room on the board.
  [[nodiscard]] bool wants_room() const noexcept { return waiting_ != 0; }
  // The first chunk of this call on the board; none: the board's `published`.
  [[nodiscard]] std::uint64_t first_on_board() const noexcept;
  // Workers were started while it ran: the report is to say how long that took.
  void workers_started() noexcept { started_ = true; }
  // Its workers may be ended now: takes from their slots what the report says of them.
  void take_final_figures();

  // Which chunk to be woken for.
  [[nodiscard]] std::uint64_t wanted() const noexcept;

  // How many slices of a chunk on the board its worker has begun, and has not, as far as can be seen; nothing: none could be taken from it.
  struct progress_of_chunk {
    std::uint64_t begun = 0;
    std::uint64_t unbegun = 0;
  };
  [[nodiscard]] progress_of_chunk look_at(const chunk_in_flight& what) const noexcept;
  // Takes slices that its worker has not begun from a chunk on the board, but for the first so many that it keeps, and publishes them as a
  // chunk of their own, for which there has to be room. False: there were none. Throws std::bad_alloc or arena_exhausted; then nothing was taken.
  bool relieve(chunk_in_flight& what, std::uint64_t keeps, bool urgent);

  // The entry is done: takes its results over, so that it can be used again.
  void take_back(chunk_in_flight& what);
  // What this chunk's worker left when it died. True if it held a slice that it had begun.
  bool worker_died(chunk_in_flight& what, unsigned worker, const death& how);
  // The chunk is gone with all workers: frees what it has on the board.
  void abandon(chunk_in_flight& what) noexcept;
  // Publishes nothing more and skips what is not begun. With a reason, that is thrown at the end, and nothing more is
  // collected; without, what ran counts, and what did not was cancelled.
  void stop(std::exception_ptr reason) noexcept;
  // The caller will not ask for its results: reads no more input, and lets what was published end by itself.
  void stop_input() noexcept;
  // Takes back its only chunk if no worker has begun it.
  bool withdraw() noexcept;
  // The worker that holds its only chunk, to be killed: the call then counts as cancelled. None: max_workers.
  [[nodiscard]] unsigned ask_to_kill() noexcept;

  // Never used twice by a coordinator, ascending.
  [[nodiscard]] std::uint64_t id() const noexcept { return shared_->id; }
  // Lowers what workers see as the limit: some worker says that this slice failed.
  void limit_workers(std::uint64_t slice) noexcept;
  // Raises it again to what is known for certain.
  void forget_announced_failures() noexcept;

  [[nodiscard]] const std::stop_token& stop_asked() const noexcept { return options_.stop; }

  tally counted;
  left_to_port left;
  bool open = true;              // more may be published (coordinator::rest)
  std::condition_variable news;  // for a thread that waits while another leads
  std::uint64_t spun_ns = 0;     // how long its thread has spun
  bool beside_others = false;    // another call was on the board when it began
  std::uint64_t likeness = 0;    // of calls of the same callable
  double slice_ns = 0;           // how long a slice took in earlier calls; 0: not known
  std::uint64_t ran_ns = 0;      // in this one, of so many slices
  std::uint64_t ran_slices = 0;

 private:
  struct undescribed_crash {
    std::shared_ptr<crash> how;
    std::uint64_t at = 0;  // when it was seen
  };

  static bool is_want_of_memory(const std::exception_ptr& thrown);
  // As the failure of a slice that was encoded or decoded here.
  static slice_failure describe(const std::exception_ptr& thrown, std::size_t slice, unsigned worker);
  std::size_t next_size() const noexcept;
  std::size_t wanted_size() const noexcept;
  double time_of_slice() const noexcept;
  bool note_failure(chunk_in_flight& what, failed_slice failed, std::function<slice_failure()> in_full = {});
  void fail(chunk_in_flight& what, failed_slice failed);
  void fail(chunk_in_flight& what, std::uint64_t slice, const std::shared_ptr<crash>& how);
  void describe_crashes(chunk_in_flight& what, std::unique_lock<std::mutex>& lock);
  void take_failures(chunk& entry, chunk_in_flight& what, std::uint64_t end);
  void count(const chunk& entry, const chunk_in_flight& what);
  void count_lost(std::uint64_t first, std::uint64_t last, unsigned worker, const death& how);
  void drop_failures(chunk& entry, unsigned heap_slot) noexcept;
  void no_answer(chunk& entry, std::uint64_t sequence) noexcept;
  void drop_results(std::uint64_t sequence, unsigned heap_slot, bool worker_lives = false) noexcept;
  void take_results(chunk_in_flight& what) noexcept;
  void again(chunk_in_flight& what, unsigned attempt, bool ran);
  chunk_in_flight* part(chunk_in_flight& what, std::uint64_t cut, std::uint64_t ran);
  chunk_in_flight& split(chunk_in_flight& what, std::uint64_t cut);
  void give_up(chunk_in_flight& what, std::uint64_t slice);
  void crashed_by_copy(chunk_in_flight& what, std::uint64_t first, std::uint64_t last, unsigned worker,
                       const death& how);
  void crashed_in_place(chunk_in_flight& what, std::uint64_t first, std::uint64_t last, unsigned worker,
                        const death& how);
  std::shared_ptr<crash> crash_of(std::uint64_t first, std::uint64_t last, unsigned worker, unsigned used,
                                  const death& how, bool in_place) const;
  bool put_back(std::uint64_t first, std::uint64_t last, unsigned worker);
  void set_limit(std::uint64_t slice) noexcept;
  void run_again(chunk_in_flight& what, std::uint64_t from) noexcept;
  bool publish_waiting(const std::shared_ptr<call>& self);
  void publish(chunk_in_flight& what, std::shared_ptr<retirable> self) noexcept;
  chunk_in_flight& cut(std::size_t size);
  chunk_in_flight& add_chunk(std::size_t size);
  void encode_next(std::size_t size, std::unique_lock<std::mutex>& lock);
  bool skipped_for_nothing(const chunk_in_flight& what) const noexcept;
  void collect_one(chunk_in_flight& what, std::unique_lock<std::mutex>& lock);
  std::exception_ptr decode(chunk_in_flight& what, std::size_t& taken);
  void refuse(chunk_in_flight& what, std::uint64_t bad, const std::exception_ptr& thrown,
              std::unique_lock<std::mutex>& lock);
  void free_results(chunk_in_flight& what) noexcept;
  void free_input(chunk_in_flight& what) noexcept;
  void free_frame(segment* frame) noexcept;
  [[nodiscard]] std::uint64_t slices_run() noexcept;

  parent_board& board_;
  job& job_;
  std::shared_ptr<void> owner_;
  call_options options_;
  completion completion_;
  std::map<std::uint64_t, undescribed_crash>
      undescribed_;  // by slice: its failure is to be described in full before it is collected
  shared_job* shared_ = nullptr;
  std::list<chunk_in_flight> in_flight_;                  // in the order of their slices
  std::size_t waiting_ = 0;                               // chunks in flight that wait for room
  std::unordered_map<std::uint64_t, unsigned> attempts_;  // used up, of slices whose worker died
  std::uint64_t next_slice_ = 0;
  std::uint64_t collected_ = 0;  // slices collected, or failed, or known to be missing
  std::uint64_t ran_ = 0;        // of these, those that were run or failed
  std::uint64_t reported_ = 0;   // slices run, when progress was last reported
  std::uint64_t limit_;
  input_reader reader_;
  bool input_ended_;
  bool one_by_one_ = false;  // encoding a chunk failed: which slice was it?
  std::uint64_t one_by_one_to_ = 0;
  // Slices of the next chunk of an input of unknown length: doubled while chunks take too short.
  std::uint64_t lazy_size_ = 1;
  std::uint64_t lazy_wanted_ = 1;
  // There was no memory to encode while so many chunks were in flight: tried again when one is collected.
  std::size_t starved_by_ = SIZE_MAX;
  std::size_t frame_bytes_ = 0;  // encoded input of chunks that are not collected
  expected_bytes expected_;      // of a chunk's encoded input
  bool kill_asked_ = false;
  bool started_ = false;
  bool published_ = false;
};

}  // namespace forkful::detail
