// Futures: a submitted call is carried on by the thread that waits for it.
#include <algorithm>
#include <chrono>
#include <forkful/future.hpp>
#include <stdexcept>

#include "board/pace.hpp"
#include "os/cpu.hpp"
#include "os/identity.hpp"

namespace forkful::detail {

namespace {

constexpr std::uint64_t one_turn_ns =
    1'000'000;  // how long wait_any waits for one of several before it looks at the others

std::chrono::steady_clock::time_point time_point(std::uint64_t nanoseconds) {
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(nanoseconds));
}

}  // namespace

void submitted::begin(engine& running, job& work, const call_options& options, std::shared_ptr<void> owner) {
  engine_ = running.number();
  made_by_ = this_process();
  going_ = begin_job(running, work, options, std::move(owner));
  wait_policy until_handed_out;
  until_handed_out.only_publish = true;
  ended_ = going_->advance(until_handed_out);
}

bool submitted::wait(std::uint64_t until) {
  // Inherited by fork, its mutex may have been held by a thread that is not here; advance() says what is wrong.
  if (this_process() != made_by_) return going_->advance({});
  // Another thread may be waiting for the same future: then it is not ours to carry on.
  std::unique_lock mine(mutex_, std::defer_lock);
  if (until == for_ever) {
    mine.lock();
  } else if (until == 0 ? !mine.try_lock() : !mine.try_lock_until(time_point(until))) {
    return false;
  }
  if (!ended_) {
    wait_policy until_then;
    until_then.until = until;
    ended_ = going_->advance(until_then);
  }
  return ended_;
}

std::size_t wait_any_of(submitted* const* calls, std::size_t count) {
  if (count == 0)
    throw std::invalid_argument("forkful: wait_any of no futures would wait for ever: give it at least one");
  for (;;) {
    for (std::size_t i = 0; i < count; ++i) {
      if (calls[i]->wait(0)) return i;
    }
    if (calls[0]->wait(now_ns() + one_turn_ns)) return 0;
  }
}

}  // namespace forkful::detail
