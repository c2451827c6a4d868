#include "backends/sentinel.hpp"

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

sentinel::sentinel() {
  if (!clock_.valid()) return;
  try {
    thread_ = std::thread([this] { stand_guard(); });
  } catch (const std::system_error&) {
    // No threads, no sentinel.
  }
}

sentinel::~sentinel() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard held(mutex_);
    ended_ = true;
    clock_.set(0);
  }
  thread_.join();
}

void sentinel::watch(watched& one, std::uint64_t time) {
  const std::lock_guard held(mutex_);
  all_.push_back({&one, time});
  set_clock();
}

void sentinel::forget(const watched& one) noexcept {
  const std::lock_guard held(mutex_);
  std::erase_if(all_, [&](const entry& each) { return each.what == &one; });
  // The clock stays set: a false alarm now and then costs less than many calls to the kernel.
}

// An earlier time only: a later one is set when the alarm was given. So a stream of short calls sets it once in a while.
void sentinel::set_clock() noexcept {
  std::uint64_t first = never;
  for (const entry& each : all_) first = std::min(first, each.time);
  if (first == never || (first >= set_for_ && set_for_ > now_ns())) return;
  set_for_ = first;
  clock_.set(first);
}

void sentinel::stand_guard() noexcept {
  block_signals();
  for (;;) {
    clock_.wait();
    const std::lock_guard held(mutex_);
    if (ended_) return;
    const std::uint64_t now = now_ns();
    set_for_ = never;
    for (entry& each : all_) {
      if (each.time > now) continue;
      each.time = each.what->look(now);
      breakpoint(point::looked);
      if (each.time == 0) each.time = never;
    }
    set_clock();
  }
}

}  // namespace forkful::detail
