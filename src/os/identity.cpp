#include "os/identity.hpp"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "os/memory.hpp"

namespace forkful::detail {

namespace {

using mark = std::atomic<std::uint64_t>;

std::atomic<std::uint64_t> has_threads{0};  // relaxed: which process has them; 0: none
mark fallback_mark{0};                      // stands in for the page where the kernel cannot wipe one
std::atomic<mark*> where{nullptr};

void forget() { fallback_mark.store(0, std::memory_order_relaxed); }

mark* find_mark() {
  void* page = map_wipe_on_fork_page();
  mark* found = page != nullptr ? static_cast<mark*>(page) : &fallback_mark;  // a fresh page is a mark that reads 0
  if (page == nullptr) pthread_atfork(nullptr, nullptr, forget);
  mark* seen = nullptr;
  // release: a thread that reads the pointer may read the page. A thread that came second uses the first one's page;
  // its own page is left mapped, which happens at most once a thread in the life of a program.
  if (where.compare_exchange_strong(seen, found, std::memory_order_release, std::memory_order_acquire)) return found;
  return seen;
}

std::uint64_t new_mark() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const auto nanoseconds =
      static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
  // A pid has at most 22 bits and is never 0. It comes round again only in another nanosecond.
  return static_cast<std::uint64_t>(getpid()) | nanoseconds << 22;
}

}  // namespace

std::uint64_t this_process() noexcept {
  mark* found = where.load(std::memory_order_acquire);
  if (found == nullptr) found = find_mark();
  // relaxed: the value is all that is asked for, nothing is published with it.
  std::uint64_t here = found->load(std::memory_order_relaxed);
  if (here != 0) [[likely]]
    return here;
  const std::uint64_t made = new_mark();
  return found->compare_exchange_strong(here, made, std::memory_order_relaxed) ? made : here;
}

void forget_process() noexcept {
  forget();
  if (mark* found = where.load(std::memory_order_relaxed); found != nullptr) found->store(0, std::memory_order_relaxed);
}

bool own_threads() noexcept {
  std::uint64_t before = 0;
  const std::uint64_t here = this_process();
  return has_threads.compare_exchange_strong(before, here, std::memory_order_relaxed) || before == here;
}

bool threads_left_behind() noexcept {
  const std::uint64_t who = has_threads.load(std::memory_order_relaxed);
  return who != 0 && who != this_process();
}

const std::uint64_t* process_mark() noexcept {
  this_process();
  static_assert(sizeof(mark) == sizeof(std::uint64_t) && mark::is_always_lock_free);
  return reinterpret_cast<const std::uint64_t*>(where.load(std::memory_order_acquire));
}

}  // namespace forkful::detail
