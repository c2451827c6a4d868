#include "backends/here/watchdog.hpp"

#include <algorithm>
#include <system_error>

#include "os/breakpoint.hpp"
#include "os/cpu.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"

namespace forkful::detail {

namespace {
constexpr std::uint64_t never = ~std::uint64_t{0};
}  // namespace

watchdog::watchdog() {
  if (!list_->clock.valid()) return;
  try {
    thread_ = std::thread([list = list_] { list->run(); });
  } catch (const std::system_error&) {
    // No threads, no watchdog.
  }
}

watchdog::~watchdog() {
  if (!thread_.joinable()) return;
  bool wakes = false;
  {
    const std::lock_guard lock(list_->mutex);
    list_->ended = true;
    wakes = list_->clock.set(0);
  }
  if (wakes) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void watchdog::watch(watched& one, std::uint64_t time) {
  const std::lock_guard lock(list_->mutex);
  list_->all.push_back({&one, time});
  list_->set_clock();
}

void watchdog::forget(const watched& one) noexcept {
  const std::lock_guard lock(list_->mutex);
  std::erase_if(list_->all, [&](const entry& each) { return each.what == &one; });
  // The clock stays set: a false alarm now and then costs less than many calls to the kernel.
}

// An earlier time only: a later one is set when the alarm was given. So a stream of short calls sets it once in a while.
void watchdog::watch_list::set_clock() noexcept {
  std::uint64_t first = never;
  for (const entry& each : all) first = std::min(first, each.time);
  if (first == never || (first >= set_for && set_for > now_ns())) return;
  set_for = first;
  clock.set(first);
}

void watchdog::watch_list::run() noexcept {
  block_signals();
  while (clock.wait()) {
    const std::lock_guard lock(mutex);
    if (ended) return;
    const std::uint64_t now = now_ns();
    set_for = never;
    for (entry& each : all) {
      if (each.time > now) continue;
      each.time = each.what->check(now);
      breakpoint(point::looked);
      if (each.time == 0) each.time = never;
    }
    set_clock();
  }
}

}  // namespace forkful::detail
