#include "map/crew.hpp"

#include <unistd.h>

#include <cstdint>
#include <system_error>

#include "format/fmt.hpp"
#include "map/misuse.hpp"
#include "map/runner.hpp"

namespace mapping {

void ring(int eventfd) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(eventfd, &one, sizeof one);
}

void crew::begin() { start_next(); }

void crew::start_next() {
  const std::lock_guard lock(mutex_);
  const auto slot = static_cast<unsigned>(threads_.size());
  if (slot == slots_ || how_ends() != ending::no) return;
  try {
    threads_.emplace_back([this, slot] { run(slot); });
    ++alive_;
  } catch (const std::system_error&) {
    if (slot == 0)
      throw refusal(own_failure, "no thread is to be had: is there a limit (ulimit -u, a cgroup's pids.max)?");
    say_once_fewer("threads");
    slots_ = slot;
  }
}

void crew::run(unsigned slot) {
  try {
    runner its(*this, slot);
    while (how_ends() == ending::no) {
      std::optional<job> next = shared_.jobs.take();
      if (!next) break;
      busy_.fetch_add(1, std::memory_order_relaxed);
      start_next();
      its.run(std::move(*next));
      busy_.fetch_sub(1, std::memory_order_relaxed);
      job_ended();
    }
  } catch (const std::exception& error) {
    fail(error.what(), ending::closing);
  }
  const std::lock_guard lock(mutex_);
  if (--alive_ != 0) return;
  gone_.store(true);
  ring(shared_.attention);
}

void crew::join() {
  for (std::thread& each : threads_) each.join();
}

void crew::end(ending how) {
  ending before = ending_.load();
  while (before < how && !ending_.compare_exchange_weak(before, how)) {
  }
  shared_.jobs.close();
  ring(shared_.stop);
  ring(shared_.attention);
}

void crew::fail(const std::string& sentence, ending how) {
  {
    const std::lock_guard lock(mutex_);
    if (failure_.empty()) failure_ = sentence;
  }
  end(how);
}

std::string crew::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

unsigned crew::runners() {
  const std::lock_guard lock(mutex_);
  return static_cast<unsigned>(threads_.size());
}

bool crew::wait_for_room(std::chrono::steady_clock::time_point since) {
  constexpr auto longest_alone = std::chrono::seconds(5);
  constexpr auto moment = std::chrono::milliseconds(50);
  std::unique_lock lock(mutex_);
  const bool alone = shared_.groups.empty();
  if (alone && std::chrono::steady_clock::now() - since > longest_alone) return false;
  if (!alone) say_once_fewer("processes");
  ended_.wait_for(lock, moment);
  return true;
}

void crew::job_ended() {
  const std::lock_guard lock(mutex_);
  ended_.notify_all();
}

void crew::say_once_fewer(const std::string& why) {
  if (said_fewer_.exchange(true)) return;
  say_line(fmt::format("the system has too few {} for {} jobs at a time: fewer run", why, slots_));
}

}  // namespace mapping
