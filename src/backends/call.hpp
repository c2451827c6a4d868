// One call on workers in other processes, seen from the parent: hands chunks out, takes them back in order, settles what the
// dead leave behind.
//
// Owns the call's frames in shared memory until they are settled. Invariants (docs/protocol.md):
//  4. Entries are settled in order: an entry is reused only when every chunk up to it is settled.
//  6. All slices below the lowest failing one are run; slices at or above it are skipped as soon as the parent knows.
//  7. A chunk whose worker died is run again from its beginning, its suspect block slice by slice. In place, where a slice
//     must not run twice, only what comes after the suspect block is run again.
// 11. Nothing a worker wrote is believed before it is checked against the bounds of that worker's memory.
#pragma once

#include <cstdint>
#include <exception>
#include <unordered_map>
#include <vector>

#include "board/board.hpp"
#include "crew/crew.hpp"
#include "memory/arena.hpp"

namespace forkful::detail {

class call {
 public:
  // What the parent remembers of an entry in use; workers cannot touch it.
  struct record {
    std::uint64_t first = 0;  // where the chunk began; the entry's own `first` moves on in place
    std::vector<slice_failure> failures;
    shared_vector<std::uint64_t> skip;
  };

  call(job& work, const call_options& options, board& table, arena& memory, crew& workers, std::vector<record>& records,
       std::uint64_t number, std::uint32_t& generation, report& happened);
  call(const call&) = delete;
  call& operator=(const call&) = delete;
  ~call();

  // Hands out the next chunk if there is one and there is room. False: nothing was done.
  bool feed();
  // Takes back every chunk at the front that is done. False: nothing was done.
  bool settle();
  // Everything handed out is settled and nothing is left to hand out.
  [[nodiscard]] bool finished() const noexcept;
  // The chunk at the front is done, so settle() would do something.
  [[nodiscard]] bool ready() const noexcept;
  // Lowers the limit to the lowest slice that any worker says has failed.
  void gather_limits() noexcept;
  // Gives back to the board what a dead worker held. True if it held a slice that it had begun.
  bool lost(unsigned worker, unsigned incarnation, const death& end);
  // Hands out nothing more and skips what is not begun; what was thrown on the caller's side is thrown at the end.
  void stop(std::exception_ptr reason) noexcept;
  // Which chunk to be woken for.
  [[nodiscard]] std::uint64_t wanted() const noexcept;
  // After all workers were dismissed: frees what is on the board, which is as new then.
  void abandon() noexcept;
  // Throws what the call has to throw.
  void conclude();

 private:
  void settle_front();
  void fail(record& about, slice_failure failure);
  void take_failures(chunk& entry, record& about, unsigned heap_slot);
  void drop_failures(chunk& entry, unsigned heap_slot) noexcept;
  void again(std::uint64_t sequence, unsigned attempt);
  bool crashed_by_copy(std::uint64_t sequence, std::uint64_t first, std::uint64_t last, const death& end,
                       unsigned worker);
  bool crashed_in_place(std::uint64_t sequence, std::uint64_t first, std::uint64_t last, const death& end,
                        unsigned worker);
  bool put_back(std::uint64_t first, std::uint64_t last, unsigned worker);
  void free_chain(segment* chain, unsigned heap_slot) noexcept;
  void set_limit(std::uint64_t slice) noexcept;

  job& job_;
  const call_options& options_;
  board& table_;
  arena& arena_;
  crew& crew_;
  report& report_;
  std::uint32_t& generation_;
  shared_job* shared_ = nullptr;
  std::vector<record>& records_;                          // entry i of the ring has record i % size
  std::unordered_map<std::uint64_t, unsigned> attempts_;  // used up, of slices whose worker died
  std::uint64_t next_slice_ = 0;
  std::uint64_t limit_;
  std::size_t frame_bytes_ = 0;  // encoded input of unsettled chunks
  slice_failure lowest_;
  bool failed_ = false;
  std::exception_ptr reason_;
};

}  // namespace forkful::detail
