#include "backends/elsewhere/relief.hpp"

#include <algorithm>
#include <forkful/errors.hpp>
#include <new>
#include <utility>

#include "backends/elsewhere/call.hpp"
#include "board/pace.hpp"
#include "os/breakpoint.hpp"
#include "os/cpu.hpp"

namespace forkful::detail {

std::uint64_t relief::look(parent_board& where) noexcept {
  if (where.closed || where.full() || where.tail() == where.head()) return for_ever;
  const std::uint64_t now = now_ns();
  const bool idle = !all_running(where.table);
  if (!idle && now < next_look_ns_) return next_look_ns_;
  next_look_ns_ = now + long_chunk_ns;
  std::uint64_t again = for_ever;
  bool ready = false;
  std::uint64_t urgent = for_ever;  // the first of those that are ready
  std::uint64_t most = 0;           // of what one worker has not begun
  std::uint64_t most_at = 0;
  held_chunk* most_of = nullptr;
  for (std::uint64_t sequence = where.tail(); sequence != where.head(); ++sequence) {
    const chunk_word word = where.word(sequence);
    const parent_board::record& mine = where.at(sequence);
    if (word.state() == chunk_state::ready) {
      ready = true;
      if (mine.owner != nullptr && mine.what->urgent) urgent = std::min(urgent, sequence);
    }
    if (word.state() != chunk_state::running || word.worker() >= held_.size() || mine.owner == nullptr) continue;
    const call::progress_of_chunk done = mine.of->look_at(*mine.what);
    if (done.unbegun == 0) continue;
    held_chunk& held = held_[word.worker()];
    if (held.generation != word.generation()) held = {word.generation(), now};
    if (now - held.since >= long_chunk_ns) {
      held.since = now;
      if (relieve(mine, std::min(done.begun, done.unbegun / 2), true)) {
        next_look_ns_ = 0;
        return 0;
      }
    }
    again = std::min(again, held.since + long_chunk_ns);
    if (done.unbegun > most) {
      most = done.unbegun;
      most_at = sequence;
      most_of = &held;
    }
  }
  // Only a hint: what takes long is begun before what was published earlier.
  if (urgent != for_ever) where.table.next.store(urgent, std::memory_order_relaxed);
  if (!idle || ready || most == 0) return again;
  if (now - most_of->since < relief_ns) return std::min(again, most_of->since + relief_ns);
  most_of->since = now;
  return relieve(where.at(most_at), most / 2, false) ? 0 : now + relief_ns;
}

// What only saves time is no reason to give up calls that go on without it.
bool relief::relieve(const parent_board::record& mine, std::uint64_t keeps, bool urgent) noexcept {
  try {
    return mine.of->relieve(*mine.what, keeps, urgent);
  } catch (const std::bad_alloc&) {
  } catch (const arena_exhausted&) {
  }
  return false;
}

// ---- Of one call --------------------------------------------------------------------------------------------------------

call::progress_of_chunk call::look_at(const chunk_in_flight& what) const noexcept {
  if (limit_ < what.last || completion_.has_reason()) return {};  // all of it is not to be run any more
  const chunk_word word = board_.word(what.sequence);
  if (word.state() != chunk_state::running || word.worker() >= board_.table.workers) return {};
  const chunk_share share(board_.table.slots[word.worker()].share.load(std::memory_order_relaxed));
  if (!share.is_of(word.generation()) || what.first + share.end() != what.last) return {};
  const std::uint64_t resume = what.resume - what.first;
  const std::uint64_t begun = std::clamp(share.begun(), resume, share.end());
  return {begun - resume, share.end() - begun};
}

bool call::relieve(chunk_in_flight& what, std::uint64_t keeps, bool urgent) {
  const chunk_word word = board_.word(what.sequence);
  if (word.worker() >= board_.table.workers || look_at(what).unbegun <= keeps) return false;
  // The list's memory first: what was taken is not to be lost.
  chunk_in_flight& rest = split(what, what.last);
  worker_slot& slot = board_.table.slots[word.worker()];
  const std::uint64_t offset = take_unbegun(slot, word.generation(), what.last - what.first, keeps);
  const std::uint64_t from = std::max(what.resume, what.first + offset);
  breakpoint(point::relieved);
  if (from == what.last) {
    in_flight_.remove_if([&](const chunk_in_flight& one) { return &one == &rest; });
    return false;
  }
  rest.urgent = urgent;
  what.last = rest.collect_from = rest.resume = from;
  ++counted.happened.chunks;
  publish(rest, board_.at(what.sequence).owner);
  if (urgent) board_.note_urgent(rest.sequence);
  wake_one(board_.table);
  return true;
}

}  // namespace forkful::detail
