#include "memory/arena.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <bitset>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <forkful/errors.hpp>

#include "errors/refused.hpp"
#include "format/fmt.hpp"
#include "memory/untaken.hpp"
#include "os/breakpoint.hpp"
#include "os/cancellation.hpp"
#include "os/identity.hpp"
#include "os/limits.hpp"
#include "os/memory.hpp"
#include "os/process.hpp"

namespace forkful::detail {

namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t heaps_offset = page_bytes;  // after span_table::shared_state
constexpr std::uint64_t warm_at_first = std::uint64_t{128} << 20;

std::atomic<arena*> newest{nullptr};   // all arenas mapped in this process
std::atomic<arena*> current{nullptr};  // what here() was the last time, perhaps in the parent process
std::atomic<std::uint64_t> making{0};  // the mark of the process in which a thread is making an arena

// SIZE_MAX without a limit, also if there is no memory left to find out.
std::size_t bytes_left() {
  try {
    return memory_left_in_groups();
  } catch (const std::bad_alloc&) {
    return SIZE_MAX;
  }
}

constexpr std::size_t round_up(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

// Where what lies in an arena of so many bytes, after the heaps.
struct layout {
  std::size_t words;  // offset of the span table
  std::size_t count;  // of spans
  std::size_t spans;  // offset of the first

  explicit layout(std::size_t bytes)
      : words(round_up(heaps_offset + max_slots * sizeof(heap), page_bytes)),
        count((bytes - words) / (span_bytes + sizeof(std::uint64_t))) {
    while (round_up(words + count * sizeof(std::uint64_t), span_bytes) + count * span_bytes > bytes) --count;
    spans = round_up(words + count * sizeof(std::uint64_t), span_bytes);
  }
};

// Address space is cheap and the table of spans small beside the memory it describes; what is beyond any use is left
// out, for a checker that walks through all of it.
std::size_t enough() {
  constexpr std::size_t under_a_checker = std::size_t{512} << 20;
  return under_valgrind() ? under_a_checker : std::bit_floor(std::min(physical_memory(), arena::largest / 8) * 8);
}

std::string readable(std::size_t bytes) {
  static constexpr std::array units{"bytes", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (unit + 1 < units.size() && bytes >= 1024 && bytes % 1024 == 0) bytes /= 1024, ++unit;
  return fmt::format("{} {}", bytes, units[unit]);
}

}  // namespace

// What a forked child must not share with its parent, nor find in the state a thread of the parent had left it in.
struct arena::process_side {
  std::mutex mutex;
  bool defers = false;              // a worker: frees wait for slice_done
  std::vector<void*> deferred;      // with their contents untouched
  memory_budget* budget = nullptr;  // of a worker whose memory is limited
  warm_runs warm;
  std::array<given_runs, max_slots> given;  // what this process freed into other heaps
  std::bitset<max_slots> slots_taken;       // only in the maker
  untaken_blocks untaken;                   // only in the maker
  // The parent's, as the fork caught it, perhaps in the middle of a change: not looked at, not destroyed.
  process_side* parents = nullptr;
};

arena::arena(const shared_mapping& mapped, std::size_t (*bytes_left)(), std::uint64_t (*clock)())
    : base_{reinterpret_cast<std::uintptr_t>(mapped.base)},
      size_{mapped.size},
      mark_{this_process()},
      side_{new process_side} {
  const layout parts(size_);
  // Fresh memory is zero, and zero is the valid beginning of everything in it but the file's length.
  heaps_ = reinterpret_cast<heap*>(mapped.base + heaps_offset);
  auto* const shared = reinterpret_cast<span_table::shared_state*>(mapped.base);
  shared->length.store(mapped.length, std::memory_order_relaxed);
  spans_ = span_table{shared,
                      reinterpret_cast<std::atomic<std::uint64_t>*>(mapped.base + parts.words),
                      parts.count,
                      mapped.base + parts.spans,
                      {mapped.file, mapped.base, mapped.size, bytes_left, clock}};
  warm_limits& limits = side_->warm.limits;
  limits.least = std::min<std::uint64_t>(warm_at_first, size_ / 16);
  // Where memory is short, another program may need what stays warm.
  limits.most_taken = bytes_left != nullptr ? 0 : std::min<std::uint64_t>(physical_memory(), size_) / 4;
  side_->warm.counted = true;

  // release: a thread that finds the arena in the list finds it made.
  arena* next = newest.load(std::memory_order_relaxed);
  do next_.store(next, std::memory_order_relaxed);
  while (!newest.compare_exchange_weak(next, this, std::memory_order_release, std::memory_order_relaxed));
}

arena::~arena() {
  std::atomic<arena*>* before = &newest;
  while (before->load(std::memory_order_relaxed) != this) before = &before->load(std::memory_order_relaxed)->next_;
  before->store(next_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  arena* self = this;
  current.compare_exchange_strong(self, nullptr, std::memory_order_relaxed);
  unmap_shared(reinterpret_cast<void*>(base_), size_, spans_.file());
  delete side_;
}

std::unique_ptr<arena> arena::make(std::size_t bytes, std::size_t at_least, std::size_t (*bytes_left)(),
                                   std::uint64_t (*clock)()) {
  const bool constrained = bytes_left != nullptr;
  std::string why = fmt::format(
      "the file size limit (ulimit -f) or half the address space limit (ulimit -v) is below {}", readable(at_least));
  const char* way_out = "raise the limit (ulimit -v, ulimit -f) or free memory";
  const auto refuse = [&](const char* call, std::size_t size, int error) {
    why = fmt::format("{} refused even {} ({})", call, readable(size), std::strerror(error));
    if (error == EMFILE || error == ENFILE || error == ENOSYS || error == EPERM) way_out = way_out_of(error);
    if (error == EAGAIN) {
      way_out =
          "this process locks its memory (mlockall with MCL_FUTURE), and all that is mapped counts: raise the limit "
          "(ulimit -l), or lock what there is with MCL_CURRENT alone before the first pool";
    }
  };
  for (std::size_t size = bytes / span_bytes * span_bytes; size >= at_least;
       size = size / 2 / span_bytes * span_bytes) {
    // Valgrind's search for leaks takes a word at a time what it cannot read, so there it may read all.
    const std::size_t length =
        under_valgrind() ? size : std::min(size, round_up(layout(size).spans, page_bytes) + span_table::least_growth);
    shared_mapping mapped = map_growing(size, span_bytes, length);
    if (mapped.base == nullptr) {
      refuse(mapped.refused, size, mapped.error);
      continue;
    }
    const std::size_t fixed = heaps_offset + max_slots * sizeof(heap);
    if (const int refused = constrained ? commit_pages(mapped.file, 0, fixed) : 0; refused != 0) {
      unmap_shared(mapped.base, mapped.size, mapped.file);
      refuse("fallocate", fixed, refused);
      continue;
    }
    try {
      return std::unique_ptr<arena>{new arena{mapped, bytes_left, clock}};
    } catch (...) {
      unmap_shared(mapped.base, mapped.size, mapped.file);
      throw;
    }
  }
  throw start_failed{fmt::format(
      "No shared memory could be mapped for the workers: {}; {}. serial_pool and thread_pool need none of it.", why,
      way_out)};
}

std::unique_ptr<arena> arena::make_for_test(std::size_t bytes, std::size_t (*bytes_left)(), std::uint64_t (*clock)()) {
  return make(bytes, bytes, bytes_left, clock);
}

arena& arena::own() {
  const std::uint64_t me = this_process();
  const auto made_here = [&]() -> arena* {
    for (arena* each = newest.load(std::memory_order_acquire); each != nullptr;
         each = each->next_.load(std::memory_order_acquire))
      if (each->shared_ && each->slot_ == 0 && each->mark_ == me) return each;
    return nullptr;
  };
  for (;;) {
    if (arena* found = made_here()) return *found;
    const cancellation_deferred whole;
    // A lock that a fork cannot leave locked: it counts as held only while it names this process. acquire and release
    // as with any lock.
    std::uint64_t holder = making.load(std::memory_order_relaxed);
    if (holder == me ||
        !making.compare_exchange_strong(holder, me, std::memory_order_acquire, std::memory_order_relaxed)) {
      std::this_thread::yield();
      continue;
    }
    struct unlock {
      ~unlock() { making.store(0, std::memory_order_release); }
    } const unlocks_at_end;
    if (arena* found = made_here()) return *found;
    const std::size_t bytes = std::min({enough(), file_size_limit(), address_space_limit() / 2});
    const bool constrained = overcommit_is_strict() || bytes_left() != SIZE_MAX;
    arena* made = make(bytes, smallest, constrained ? bytes_left : nullptr, &now_ns)
                      .release();  // stays mapped until the process ends
    made->shared_ = true;
    return *made;
  }
}

arena& arena::here() {
  arena* last = current.load(std::memory_order_acquire);
  if (last != nullptr && last->takes_part()) [[likely]]
    return *last;
  arena& mine = own();
  current.store(&mine, std::memory_order_release);
  return mine;
}

arena* arena::holding(const void* address) noexcept {
  // acquire: pairs with the release that put it in the list.
  for (arena* each = newest.load(std::memory_order_acquire); each != nullptr;
       each = each->next_.load(std::memory_order_acquire))
    if (each->contains(address, 0)) return each;
  return nullptr;
}

bool arena::takes_part() const noexcept { return mark_ == this_process(); }

unsigned arena::acquire_slot() {
  const std::lock_guard lock{side_->mutex};
  for (unsigned slot = 1; slot != max_slots; ++slot) {
    if (side_->slots_taken[slot]) continue;
    side_->slots_taken[slot] = true;
    return slot;
  }
  throw start_failed{
      fmt::format("All {} worker slots of this process are taken. Give pools fewer workers, or end pools that are no "
                  "longer needed.",
                  max_slots - 1)};
}

void arena::release_slot(unsigned slot) noexcept {
  if (!takes_part()) return;
  const std::lock_guard lock{side_->mutex};
  // Its process has ended, so this one owns the heap until the slot is taken again.
  warm_runs left;
  heaps_[slot].trim(spans_, slot, 0, left);
  side_->given[slot] = {};
  side_->slots_taken[slot] = false;
}

void arena::become_worker(unsigned slot) {
  auto* fresh = new process_side;
  fresh->defers = true;
  fresh->warm.limits = side_->warm.limits;
  fresh->parents = side_;
  side_ = fresh;
  slot_ = slot;
  mark_ = this_process();
  current.store(this, std::memory_order_release);
}

void arena::charge(memory_budget& budget) noexcept {
  const std::lock_guard lock{side_->mutex};
  side_->budget = &budget;
}

void arena::hand_over() noexcept {
  const std::lock_guard lock{side_->mutex};
  if (side_->budget != nullptr) side_->budget->hand_over();
}

void* arena::charged(void* block) {
  if (side_->budget == nullptr || side_->budget->take(block_size(block))) return block;
  memory_budget* const budget = std::exchange(side_->budget, nullptr);
  free_now(block);
  side_->budget = budget;
  throw std::bad_alloc{};
}

void* arena::allocate(std::size_t bytes, std::size_t align) {
  span_table::refusal refused{};
  {
    const std::lock_guard lock{side_->mutex};
    if (void* block = try_allocate(bytes, align)) return charged(block);
    // What stays warm for later is of more use now.
    heaps_[slot_].trim(spans_, slot_, 0, side_->warm);
    if (void* block = try_allocate(bytes, align)) return charged(block);
    refused = spans_.refused();
  }
  throw arena_exhausted{exhaustion(refused, bytes)};
}

loose_block& arena::allocate_loose(std::size_t bytes) {
  if (bytes > size_) throw arena_exhausted{exhaustion(span_table::refusal::full, bytes)};
  auto& block = *new (allocate(sizeof(loose_block) + bytes, most_alignment)) loose_block{};
  if (slot_ != 0) {
    const std::lock_guard lock{side_->mutex};
    heaps_[slot_].loose.add(block);
  }
  return block;
}

void arena::deallocate_loose(loose_block& block) noexcept {
  if (!takes_part()) return;
  if (slot_ == 0 || !block.listed) return deallocate(&block);
  const std::lock_guard lock{side_->mutex};
  heaps_[slot_].loose.remove(block);
  breakpoint(point::loose_removed);
  free_now(&block);
}

void arena::give(loose_block& block, bool held, segment*& results) noexcept {
  if (!takes_part() || !block.listed) return;
  const std::lock_guard lock{side_->mutex};
  block.held = held;
  heaps_[slot_].loose.give(block, results);
}

void arena::leave_untaken(loose_block& block, unsigned slot, bool worker_lives) noexcept {
  if (!takes_part()) return;
  const std::lock_guard lock{side_->mutex};
  try {
    if (!side_->untaken.leave(&block, slot, worker_lives)) free_now(&block);
  } catch (const std::bad_alloc&) {
    return;  // leaked: better than freed while it is looked at
  }
}

bool arena::take_untaken(loose_block& block) noexcept {
  if (slot_ != 0 || !takes_part()) return false;
  const std::lock_guard lock{side_->mutex};
  return side_->untaken.take(&block);
}

bool arena::look_at(loose_block& block) {
  if (slot_ != 0 || !takes_part()) return false;
  const std::lock_guard lock{side_->mutex};
  side_->untaken.look_at(&block);
  return true;
}

void arena::look_away(loose_block& block) noexcept {
  if (!takes_part()) return;
  const std::lock_guard lock{side_->mutex};
  if (side_->untaken.look_away(&block)) free_now(&block);
}

void arena::bury_untaken(unsigned slot) noexcept {
  const std::lock_guard lock{side_->mutex};
  side_->untaken.bury(slot, [this](void* block) { free_now(block); });
}

std::byte* arena::view(const void* data, std::size_t bytes) noexcept {
  if (!takes_part() || !contains(data, bytes)) return nullptr;
  const std::size_t begin = reinterpret_cast<std::uintptr_t>(data) - base_;
  const std::size_t first = begin / page_bytes * page_bytes;
  const std::lock_guard lock{side_->mutex};
  std::byte* const pages = map_private(spans_.file(), first, round_up(begin + bytes - first, page_bytes));
  return pages == nullptr ? nullptr : pages + (begin - first);
}

bool arena::is_loose_block(unsigned slot, const loose_block* block) const noexcept {
  return owned_by(slot, block, sizeof *block) &&
         block_around(block).data() == reinterpret_cast<const std::byte*>(block);
}

std::string arena::exhaustion(span_table::refusal refused, std::size_t bytes) const {
  using enum span_table::refusal;
  std::string why;
  switch (refused) {
    case no_memory:
      why =
          "this machine commits no more memory (strict overcommit, or the memory limit of the control group). Free "
          "shared containers and results, use smaller slices, or raise the limit.";
      break;
    case file_limit:
      why =
          "the file size limit was lowered since it was mapped. Free shared containers and results, or leave the limit "
          "(ulimit -f) as it was.";
      break;
    case lost_file:
      why =
          "it cannot grow, because the program closed its descriptor. Close only descriptors that your code opened "
          "(close_range or a loop over all numbers closes forkful's too).";
      break;
    case full:
      why = fmt::format(
          "no free stretch that long is left in the arena of {}. Free shared containers and results, use smaller "
          "slices, or raise the limit on address space (ulimit -v) or file size (ulimit -f) if there is one.",
          readable(size_));
  }
  return fmt::format("Shared memory is used up: {} were wanted, and {}", readable(bytes), why);
}

void* arena::try_allocate(std::size_t bytes, std::size_t align) noexcept {
  heap& mine = heaps_[slot_];
  if (bytes <= largest_small && align <= largest_small) [[likely]] {
    unsigned size_class = size_class_of(bytes);
    // Blocks lie at multiples of their size from an aligned beginning; powers of two are among the classes.
    while (class_bytes(size_class) % align != 0) ++size_class;
    return mine.allocate_small(spans_, slot_, size_class);
  }
  if (bytes > size_ || align > size_) return nullptr;
  const std::size_t length = std::max<std::size_t>(1, (bytes + span_bytes - 1) / span_bytes);
  return mine.allocate_run(spans_, slot_, length, align, side_->warm);
}

void arena::deallocate(void* block) noexcept {
  if (block == nullptr || !takes_part()) return;
  const std::lock_guard lock{side_->mutex};
  if (!side_->defers) return free_now(block);
  try {
    side_->deferred.push_back(block);
  } catch (const std::bad_alloc&) {
    return;  // leaked, until the pool ends: better than reusing it too early
  }
}

void arena::slice_done() noexcept {
  const std::lock_guard lock{side_->mutex};
  for (void* block : side_->deferred) free_now(block);
  side_->deferred.clear();
}

void arena::free_now(void* block) noexcept {
  const span_word word = spans_.word(spans_.index(block));
  if (word.free() || word.slot() >= max_slots) return;
  heap& owner = heaps_[word.slot()];
  const bool mine = word.slot() == slot_;
  if (mine && side_->budget != nullptr) side_->budget->give(block_size(block));
  if (word.kind() == span_kind::small) {
    const auto size_class = static_cast<unsigned>(word.detail());
    mine ? owner.free_small(block, size_class) : owner.push_small(block, size_class);
  } else if (word.kind() == span_kind::run) {
    if (mine)
      owner.free_run(spans_, slot_, block, side_->warm);
    else
      owner.push_run(spans_, block, side_->warm.limits, side_->given[word.slot()]);
  }
}

void arena::trim() noexcept {
  if (!takes_part()) return;
  const std::lock_guard lock{side_->mutex};
  heaps_[slot_].trim(spans_, slot_, 0, side_->warm);
  if (slot_ == 0) spans_.cool(0, 0);
}

void arena::trim_all() noexcept {
  for (arena* each = newest.load(std::memory_order_acquire); each != nullptr;
       each = each->next_.load(std::memory_order_acquire))
    if (each->shared_) each->trim();
}

void arena::let_decay(std::uint64_t now, std::uint64_t began) noexcept {
  constexpr std::uint64_t second = 1'000'000'000;
  // relaxed: of two threads that look at once, either may win.
  std::uint64_t last = looked_.load(std::memory_order_relaxed);
  if (now - last < second || slot_ != 0 || !takes_part()) [[likely]]
    return;
  if (!looked_.compare_exchange_strong(last, now, std::memory_order_relaxed)) return;
  const std::lock_guard lock{side_->mutex};
  spans_.cool(now, std::max(second, now - began));  // a long call may have needed it at its beginning
}

}  // namespace forkful::detail
