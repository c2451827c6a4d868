#include "crew/lateness.hpp"

#include "os/cpu.hpp"

namespace forkful::detail {

namespace {

constexpr std::uint64_t look_ns = 20'000'000;
constexpr std::uint64_t grace_ns = 100'000'000;

constexpr std::uint64_t allowed(std::uint64_t timeout) {
  return timeout > (~std::uint64_t{0} - grace_ns) / 2 ? ~std::uint64_t{0} : 2 * timeout + grace_ns;
}

}  // namespace

void lateness::look(board& table, crew& workers) noexcept {
  const std::uint64_t now = now_ns();
  if (now - looked_ < look_ns) return;
  looked_ = now;
  // relaxed, all of them: the parent wrote `published`, `reclaimed` and `job` itself, and a word or cursor that is seen
  // late only makes it wait one look longer.
  const std::uint64_t published = table.published.load(std::memory_order_relaxed);
  for (std::uint64_t at = table.reclaimed.load(std::memory_order_relaxed); at < published; ++at) {
    const chunk& entry = table.entry(at);
    const chunk_word word(entry.word.load(std::memory_order_relaxed));
    if (word.state() != chunk_state::running || !entry.job->timed || word.worker() >= seen_.size()) continue;
    const std::uint64_t cursor = table.slots[word.worker()].cursor.load(std::memory_order_relaxed);
    seen& last = seen_[word.worker()];
    if (last.word != word.bits() || last.cursor != cursor) {
      last = {word.bits(), cursor, now};
    } else if (now - last.since > allowed(entry.job->timeout_ns)) {
      workers.end_late(word.worker(), word.incarnation());
    }
  }
}

}  // namespace forkful::detail
