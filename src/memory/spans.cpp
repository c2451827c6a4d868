#include "memory/spans.hpp"

#include <algorithm>
#include <cerrno>
#include <thread>

#include "os/cancellation.hpp"

namespace forkful::detail {

std::size_t span_table::claim_small(unsigned slot, unsigned size_class) noexcept {
  return claim(span_word{slot, span_kind::small, size_class}, 1, span_bytes);
}

std::size_t span_table::claim_run(unsigned slot, std::size_t length, std::size_t align) noexcept {
  return claim(span_word{slot, span_kind::run, length}, length, std::max(align, span_bytes));
}

std::size_t span_table::claim(span_word first_word, std::size_t length, std::size_t align) noexcept {
  refused_ = refusal::full;
  // relaxed, here and below: a hint.
  const std::size_t begin = shared_->hint.load(std::memory_order_relaxed);
  std::size_t first = search(first_word, begin, length, align);
  if (first == none && begin != 0 && refused_ == refusal::full) first = search(first_word, 0, length, align);
  if (first == none) return none;
  shared_->hint.store(first + length, std::memory_order_relaxed);
  // Only a bound for bytes_taken(): should two processes write at once, the lower value may win for a while.
  if (shared_->top.load(std::memory_order_relaxed) < first + length) {
    shared_->top.store(first + length, std::memory_order_relaxed);
  }

  if (!make_exist(first, length)) {
    give_back(first, length, first_word.slot());
    return none;
  }
  return first;
}

std::size_t span_table::search(span_word first_word, std::size_t begin, std::size_t length,
                               std::size_t align) noexcept {
  const std::size_t step = align / span_bytes;
  const std::size_t base = reinterpret_cast<std::uintptr_t>(spans_) / span_bytes;
  for (std::size_t first = begin;;) {
    first += (step - (base + first) % step) % step;
    if (length > count_ || first > count_ - length) return none;
    if (!commit_words(first + length)) return none;
    const std::size_t obstacle = take(first_word, first, length);
    if (obstacle == none) return first;
    const span_word word = this->word(obstacle);
    first = obstacle + (word.begins_run() ? std::clamp<std::size_t>(word.length(), 1, count_) : 1);
  }
}

// Takes all spans of first .. first + length, or none and returns the one that was in the way.
std::size_t span_table::take(span_word first_word, std::size_t first, std::size_t length) noexcept {
  for (std::size_t i = 0; i != length; ++i)  // looking is cheaper than taking and undoing
    if (words_[first + i].load(std::memory_order_relaxed) != 0) return first + i;

  const bool is_run = first_word.kind() == span_kind::run;
  for (std::size_t i = 0; i != length; ++i) {
    std::uint64_t free = 0;
    const span_word mine = is_run ? span_word{first_word.slot(), span_kind::part, i} : first_word;
    // acquire: pairs with the release of the 0 in give_back, so that what its former holder did to the span comes
    // before what this one will do. Nothing is published with the claim itself.
    if (words_[first + i].compare_exchange_strong(free, mine.bits(), std::memory_order_acquire,
                                                  std::memory_order_relaxed))
      continue;
    // release: passes on what was acquired above.
    for (std::size_t taken = i; taken-- > 0;) words_[first + taken].store(0, std::memory_order_release);
    return first + i;
  }
  // Only now does it read as a run. relaxed: a process that needs the length has the run's address from a release of
  // its own.
  if (is_run) words_[first].store(first_word.bits(), std::memory_order_relaxed);
  return none;
}

std::size_t span_table::bytes_taken() const noexcept {
  const std::size_t top = std::min<std::size_t>(shared_->top.load(std::memory_order_relaxed), count_);
  std::size_t taken = 0;
  for (std::size_t i = 0; i != top; ++i) taken += word(i).free() ? 0 : 1;
  return taken * span_bytes;
}

// release: what its holder did to the run comes before its memory goes.
void span_table::rest(std::size_t first) noexcept {
  words_[first].store(word(first).resting(backing_.clock()).bits(), std::memory_order_release);
}

// Takes a run from whatever it rests in to another state; returns what it was. acquire: pairs with the release of the word that
// says it is cold, and with that of rest().
span_word span_table::change(std::size_t first, span_kind to) noexcept {
  for (;;) {
    const span_word was = word(first);
    std::uint64_t bits = was.bits();
    if (was.kind() == span_kind::cooling) {
      std::this_thread::yield();
    } else if (words_[first].compare_exchange_weak(bits, was.in(to).bits(), std::memory_order_acq_rel,
                                                   std::memory_order_relaxed)) {
      return was;
    }
  }
}

bool span_table::rouse(std::size_t first) noexcept {
  const span_word was = change(first, span_kind::run);
  return was.kind() != span_kind::cold || !commits() || commit(address(first), was.length() * span_bytes);
}

void span_table::cool(std::uint64_t now, std::uint64_t age) noexcept {
  constexpr std::size_t saved = 4096;  // the page that the link lies in
  const std::size_t top = std::min<std::size_t>(shared_->top.load(std::memory_order_relaxed), count_);
  for (std::size_t first = 0; first < top;) {
    const span_word seen = word(first);
    std::uint64_t bits = seen.bits();
    if (seen.kind() == span_kind::idle && seen.age(now) >= age &&
        words_[first].compare_exchange_strong(bits, seen.in(span_kind::cooling).bits(), std::memory_order_acquire,
                                              std::memory_order_relaxed)) {
      std::byte* const begin = address(first) + saved;
      const bool gone = remove_pages(backing_.file, offset(begin), begin, seen.length() * span_bytes - saved) == 0;
      words_[first].store(seen.in(gone ? span_kind::cold : span_kind::idle).bits(), std::memory_order_release);
    }
    first += seen.begins_run() ? std::clamp<std::size_t>(seen.length(), 1, count_) : 1;
  }
}

void span_table::release_run(std::size_t first) noexcept {
  const span_word word = change(first, span_kind::run);
  give_back(first, word.length(), word.slot());
}

// Killed anywhere in here, the words not yet zero are leaked. None reads as a run any more.
void span_table::give_back(std::size_t first, std::size_t length, unsigned slot) noexcept {
  words_[first].store(span_word{slot, span_kind::part, 0}.bits(), std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  // Refused: the pages stay, nothing else changes.
  remove_pages(backing_.file, offset(address(first)), address(first), length * span_bytes);
  // release: the next holder's acquire comes after the pages went.
  for (std::size_t i = length; i-- > 0;) words_[first + i].store(0, std::memory_order_release);
  if (first < shared_->hint.load(std::memory_order_relaxed)) shared_->hint.store(first, std::memory_order_relaxed);
}

bool span_table::make_exist(std::size_t first, std::size_t length) noexcept {
  return commits() ? commit(address(first), length * span_bytes) : grow(offset(address(first + length)));
}

// Makes the file reach to `end`, in steps that are small beside it, so that what is not used hardly exists. `length` is raised
// only after the file is that long; two processes may do the same work, and the lower value may win, which costs a repetition.
// relaxed: the file is the kernel's, which orders its own work.
bool span_table::grow(std::size_t end) noexcept {
  const std::size_t length = shared_->length.load(std::memory_order_relaxed);
  if (end <= length) return true;
  const std::size_t step = std::max(least_growth, length / 8);
  const std::size_t longer = std::min(std::max(end, length + step), backing_.size);
  int error = grow_file(backing_.file, longer);
  if (error != 0 && longer != end) {  // what is needed may be had where a step more is refused
    error = grow_file(backing_.file, end);
    if (error == 0) shared_->length.store(end, std::memory_order_relaxed);
  } else if (error == 0) {
    shared_->length.store(longer, std::memory_order_relaxed);
  }
  return error == 0 || refuse(error);
}

bool span_table::refuse(int error) noexcept {
  refused_ = error == EBADF ? refusal::lost_file : error == EFBIG ? refusal::file_limit : refusal::no_memory;
  return false;
}

// Makes memory exist before it is touched: under strict overcommit touching it later could fail (SIGBUS), and at the
// limit of a control group the kernel kills a process for it instead of saying no, so what is left there is looked up
// first. Looking costs more than committing a span, hence the grant: small beside what is left, as other processes take
// too.
bool span_table::commit(void* data, std::size_t bytes) noexcept {
  if (bytes <= granted_) {
    granted_ -= bytes;
  } else {
    const cancellation_deferred whole;
    const std::size_t left = backing_.bytes_left();
    if (bytes > left - left / 64) return refuse(ENOMEM);
    granted_ = std::min(left / 64, std::size_t{64} << 20);
  }
  const int error = commit_pages(backing_.file, offset(data), bytes);
  return error == 0 || refuse(error);
}

// Commits the table itself as far as `end` where memory has to be committed before it is touched, if only to be read.
// `committed` is raised only after the pages are there; two processes may do the same work, and the lower value may
// win, which costs a repetition. relaxed: the pages are the kernel's, which orders its own work.
bool span_table::commit_words(std::size_t end) noexcept {
  if (!commits()) return true;  // the file is longer than the table from the beginning
  const std::uint64_t committed = shared_->committed.load(std::memory_order_relaxed);
  if (end <= committed) return true;
  constexpr std::size_t words_a_page = 4096 / sizeof(std::uint64_t);
  const std::size_t rounded = (end + words_a_page - 1) / words_a_page * words_a_page;
  if (!commit(words_ + committed, (rounded - committed) * sizeof(std::uint64_t))) return false;
  shared_->committed.store(rounded, std::memory_order_relaxed);
  return true;
}

}  // namespace forkful::detail
