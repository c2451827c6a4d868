// Which heap owns which 64 KiB of the arena: one 64-bit word a span, in shared memory.
//
// Owns the words, the hint where to look first, the length of the file behind the spans, and the committing of memory where
// the machine demands it. Used by heaps (which ask for spans) and by code that is given an address (which asks for its owner).
//
// Invariants (docs/protocol.md, 1, 8, 10, 11):
//   * Claiming is recording: a span is taken by a compare-exchange of its word from 0 to its owner. At no moment is a
//     span taken and has no owner; a process killed half-way through a run leaves words that name it, which are leaked,
//     never shared.
//   * A run reads as one (`run` in its first word) only while all its words are its own.
//   * The hint may be wrong; it only says where the search begins.
//   * A run on a list of its heap rests: its word says so, and since when. The process that takes it off changes the
//     word back first, by a compare-exchange. The process that made the arena may give the memory of a run back while
//     it rests, whichever heap owns it; only that process does, so a word that says `cooling` is followed by another
//     one, or by the end of all.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "os/cpu.hpp"
#include "os/memory.hpp"

namespace forkful::detail {

inline constexpr std::size_t span_bytes = std::size_t{64} << 10;
inline constexpr unsigned max_slots = 1024;

enum class span_kind : unsigned {
  part,     // detail: distance to the first span of the run. Distance 0: a run being claimed or given back
  small,    // detail: size class of its blocks
  run,      // detail: length in spans; the first of them
  idle,     // a run that rests, with its memory. Detail, here and below: length in spans, and since when
  cooling,  // its memory is being given back
  cold      // it has no memory but its first page, which holds the list's link
};

// The value of a span's word. 0 is a free span.
//   bits 0-11   owner's slot + 1
//   bits 12-15  kind
//   bits 16-63  detail; of a run that rests, bits 16-39 are its length, 40-63 the time in units of 134 ms
class span_word {
 public:
  constexpr span_word() = default;
  constexpr explicit span_word(std::uint64_t bits) : bits_{bits} {}
  constexpr span_word(unsigned slot, span_kind kind, std::size_t detail)
      : bits_{(slot + 1) | std::uint64_t{static_cast<unsigned>(kind)} << 12 | std::uint64_t{detail} << 16} {}

  constexpr std::uint64_t bits() const noexcept { return bits_; }
  constexpr bool free() const noexcept { return bits_ == 0; }
  constexpr unsigned slot() const noexcept { return static_cast<unsigned>(bits_ & 0xfff) - 1; }  // of a free one: huge
  constexpr span_kind kind() const noexcept { return static_cast<span_kind>(bits_ >> 12 & 0xf); }
  constexpr std::size_t detail() const noexcept { return bits_ >> 16; }
  // Whether it is the first of a run, in use or resting, and how long that is.
  constexpr bool begins_run() const noexcept { return kind() >= span_kind::run; }
  constexpr bool rests() const noexcept { return kind() >= span_kind::idle; }
  constexpr std::size_t length() const noexcept { return rests() ? detail() & time_mask : detail(); }

  // The same run in another state, at a time (nanoseconds).
  constexpr span_word resting(std::uint64_t now) const noexcept {
    return {slot(), span_kind::idle, length() | ((now >> time_shift) & time_mask) << 24};
  }
  constexpr span_word in(span_kind kind) const noexcept {
    return {slot(), kind, kind == span_kind::run ? length() : detail()};
  }
  // Nanoseconds since a run rests; 13 days more are not seen, and 0 if that is later than `now`.
  constexpr std::uint64_t age(std::uint64_t now) const noexcept {
    const std::uint64_t units = ((now >> time_shift) - (detail() >> 24)) & time_mask;
    return units > time_mask / 2 ? 0 : units << time_shift;
  }

 private:
  static constexpr std::uint64_t time_mask = 0xffffff;
  static constexpr unsigned time_shift = 27;
  std::uint64_t bits_ = 0;
};

// A process's view of the span table. Trivially copyable: children inherit it with the mapping.
class span_table {
 public:
  // What all processes share beside the words.
  struct shared_state {
    std::atomic<std::uint64_t> hint;       // where a search begins
    std::atomic<std::uint64_t> top;        // no span at or above it was ever taken; a kill may leave it too low
    std::atomic<std::uint64_t> committed;  // words below this one may be touched; only where memory is committed
    std::atomic<std::uint64_t> length;     // the mapping's file is at least so long; only where it is not
  };

  static constexpr std::size_t none = SIZE_MAX;
  // Bytes that the file grows by at the least: few enough to be no burden where all that exists is locked in memory.
  static constexpr std::size_t least_growth = std::size_t{32} << 20;

  // Why the last claim failed.
  enum class refusal {
    full,        // no free spans
    no_memory,   // the machine commits no more
    file_limit,  // the file size limit is lower than it was
    lost_file    // the descriptor of the file was closed
  };

  // How spans are made to exist before they are touched.
  struct backing {
    shared_file file;
    std::byte* mapping = nullptr;           // where its offset 0 lies
    std::size_t size = 0;                   // of the mapping
    std::size_t (*bytes_left)() = nullptr;  // what may still be taken; null: memory is plentiful, nothing is committed
    std::uint64_t (*clock)() = &now_ns;     // nanoseconds, the same in every process
  };

  span_table() = default;
  // `words` holds `count` zeroed words; span 0 begins at `spans`.
  span_table(shared_state* shared, std::atomic<std::uint64_t>* words, std::size_t count, std::byte* spans,
             const backing& behind) noexcept
      : shared_{shared}, words_{words}, count_{count}, spans_{spans}, backing_{behind} {}

  std::size_t count() const noexcept { return count_; }
  std::byte* address(std::size_t span) const noexcept { return spans_ + span * span_bytes; }
  // The span an address lies in; count() or more if it lies in none.
  std::size_t index(const void* address) const noexcept {
    return (reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(spans_)) / span_bytes;
  }
  // A span's word; a free one for an index that no span has, or none ever had. relaxed: a process that holds an address
  // got it by a release/acquire of its own, made after the word was written; a reader with a made-up address needs only
  // a value.
  span_word word(std::size_t span) const noexcept {
    if (span >= count_ || (commits() && span >= shared_->committed.load(std::memory_order_relaxed))) return {};
    return span_word{words_[span].load(std::memory_order_relaxed)};
  }

  // Takes a free span for blocks of one size class. Returns its index, or none.
  std::size_t claim_small(unsigned slot, unsigned size_class) noexcept;
  // Takes `length` adjoining free spans, the first at a multiple of `align` bytes. Returns the first's index, or none.
  std::size_t claim_run(unsigned slot, std::size_t length, std::size_t align = span_bytes) noexcept;
  // Bytes of all spans that are taken, by any process. Cost: a load a span.
  std::size_t bytes_taken() const noexcept;
  // Why the last claim failed, if it did.
  refusal refused() const noexcept { return refused_; }
  // Whether memory is made to exist before it is used, because there may be none left later.
  bool commits() const noexcept { return backing_.bytes_left != nullptr; }
  const shared_file& file() const noexcept { return backing_.file; }
  shared_file& file() noexcept { return backing_.file; }
  // A run that its holder is about to put on a list. From now on its memory may go.
  void rest(std::size_t first) noexcept;
  // A run that was taken off a list is the taker's again. False: its memory went, and the machine commits no more; it can only be
  // released. Waits while its memory is being given back.
  bool rouse(std::size_t first) noexcept;
  // In the process that made the arena: gives the memory back of all runs that have rested for so many nanoseconds.
  void cool(std::uint64_t now, std::uint64_t age) noexcept;
  // Gives a run back: its memory to the kernel, then its words. Only the process that holds the run, or took it off its
  // list, may do that.
  void release_run(std::size_t first) noexcept;

 private:
  std::size_t search(span_word first_word, std::size_t begin, std::size_t length, std::size_t align) noexcept;
  std::size_t take(span_word first_word, std::size_t first, std::size_t length) noexcept;
  span_word change(std::size_t first, span_kind to) noexcept;
  void give_back(std::size_t first, std::size_t length, unsigned slot) noexcept;
  bool make_exist(std::size_t first, std::size_t length) noexcept;
  bool grow(std::size_t end) noexcept;
  bool commit(void* data, std::size_t bytes) noexcept;
  bool refuse(int error) noexcept;
  std::size_t offset(const void* data) const noexcept {
    return static_cast<std::size_t>(static_cast<const std::byte*>(data) - backing_.mapping);
  }
  bool commit_words(std::size_t end) noexcept;
  std::size_t claim(span_word first_word, std::size_t length, std::size_t align) noexcept;

  shared_state* shared_ = nullptr;
  std::atomic<std::uint64_t>* words_ = nullptr;
  std::size_t count_ = 0;
  std::byte* spans_ = nullptr;
  backing backing_;
  std::size_t granted_ = 0;  // bytes that may be committed before looking again how much is left
  refusal refused_ = refusal::full;
};

}  // namespace forkful::detail
