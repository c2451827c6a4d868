// The caller: it publishes, takes back, waits and wakes. Its rules are those of backends/elsewhere/call.cpp,
// coordinator.cpp and backends/here/thread_call.cpp.
#include <algorithm>
#include <utility>

#include "advice/simulation.hpp"
#include "board/board.hpp"
#include "board/chunking.hpp"
#include "board/pace.hpp"

namespace forkful::detail {

void simulation::do_step(step next, double seconds, double passing) {
  doing_ = next;
  doing_passing_ = seconds > 0 ? passing / seconds : 0;
  work_on(caller_, seconds);
}

bool simulation::front_done() const noexcept { return collected_ < chunks_.size() && chunks_[collected_].done; }

bool simulation::may_hand_out() const noexcept {
  if (next_slice_ == work_.slices) return false;
  const std::size_t workers = workers_.size();
  if (on_board_ >= std::max(ring_size, 2 * workers) * grouping_) return false;
  const bool window_full = static_cast<double>(slices_out_) * costs_.slice_bytes > static_cast<double>(frame_window);
  return !window_full || chunks_.size() - collected_ < 2 * workers;
}

// Threads: as many as there are chunks for, the caller not counted.
std::size_t simulation::helpers_called() const noexcept {
  const std::size_t size = next_chunk(work_.slices, work_.slices, costs_.runners, work_.asked_chunk, 0, 0);
  return std::clamp<std::size_t>((work_.slices + size - 1) / size, 1, workers_.size()) - 1;
}

// What was going on is done.
void simulation::caller_goes_on() {
  switch (doing_) {
    case step::starting: {
      const auto who = static_cast<std::uint32_t>(workers_.size() - absent_);
      --absent_;
      workers_[who].burst_began = now_;
      if (absent_ != 0) {
        do_step(step::starting, costs_.start, 0);
      } else {
        do_step(step::beginning, costs_.once + costs_.broadcast, costs_.broadcast);
      }
      look(who);
      return;
    }
    case step::handing_out: {
      chunks_.push_back(encoded_);
      forget_sleepy();
      if (!looking_.empty()) {
        const std::uint32_t who = looking_.back();
        looking_.pop_back();
        look(who);
      }
      wake_workers();
      handed_out_ = true;
      break;
    }
    case step::taking_back:
      for (; taking_ != 0; --taking_) {
        on_board_ -= chunks_[collected_].count;
        slices_out_ -= chunks_[collected_].slices();
        ++collected_;
      }
      handed_out_ = false;
      break;
    default:
      break;
  }
  if (caller_runs_ && doing_ == step::beginning) {
    // All helpers are called at once; the caller is the first worker.
    doing_ = step::idle;
    const std::size_t helpers = helpers_called();
    asleep_.erase(asleep_.begin());
    for (std::size_t i = 0; i < helpers; ++i) wake_one();
    workers_[0].is = state::looking;
    look(0);
    return;
  }
  if (handed_out_ && front_done()) {
    take_back();
  } else if (may_hand_out()) {
    hand_out();
  } else if (front_done()) {
    take_back();
  } else if (next_slice_ == work_.slices && collected_ == chunks_.size()) {
    doing_ = step::ended;
  } else {
    rest();
  }
}

void simulation::hand_out() {
  encoded_ = cut();
  const double passing = costs_.encode * static_cast<double>(encoded_.slices());
  do_step(step::handing_out, costs_.publish * static_cast<double>(encoded_.count) + passing, passing);
}

void simulation::take_back() {
  double passing = 0;
  double chunks = 0;
  for (std::size_t at = collected_; at < chunks_.size() && chunks_[at].done; ++at) {
    passing += costs_.decode * static_cast<double>(chunks_[at].slices());
    chunks += static_cast<double>(chunks_[at].count);
    ++taking_;
  }
  do_step(step::taking_back, costs_.take_back * chunks + passing, passing);
}

// Nothing to do until a chunk comes back: first it spins, then it sleeps and says for which chunk it wants to be woken.
void simulation::rest() {
  doing_ = step::idle;
  idle_since_ = now_;
  const std::size_t first = collected_;
  const bool half_way = next_slice_ != work_.slices || costs_.decode > 0;
  std::size_t after = first + 1;
  while (after < chunks_.size() && chunks_[after].done) ++after;
  wanted_ = !half_way                 ? chunks_.size() - 1
            : after >= chunks_.size() ? first
                                      : after - 1 + (chunks_.size() - after + 1) / 2;
  set_alarm();
}

double simulation::sleeps_at() const noexcept {
  return idle_since_ + (plan_.cores > 1 ? std::max(0.0, in_seconds(caller_spins_ns) - spun_) : 0);
}

// A worker has finished a chunk, or found no work.
void simulation::ring(bool out_of_work, std::size_t finished) {
  if (caller_runs_) {
    if (next_slice_ != work_.slices || !computing_.empty() || handling_ != 0 || doing_ != step::idle) return;
    if (!out_of_work) return;
    // All is done: the caller takes back the rest, after being woken if it waited for long.
    const worker& first = workers_[0];
    const bool slept = first.is == state::looking && now_ - first.idle_since > in_seconds(worker_spins_ns);
    for (; collected_ != chunks_.size(); ++collected_) on_board_ -= chunks_[collected_].count;
    const double rest = (costs_.publish + costs_.take_back) * static_cast<double>(std::exchange(finished_since_, 0));
    if (slept) {
      doing_ = step::waking;
      later(caller_, costs_.wake + rest);
    } else {
      do_step(step::taking_back, rest, 0);
    }
    return;
  }
  if (doing_ != step::idle || !front_done()) return;
  if (now_ <= sleeps_at()) {
    spun_ += now_ - idle_since_;
    caller_goes_on();
  } else if (out_of_work || finished >= wanted_) {
    spun_ = in_seconds(caller_spins_ns);
    doing_ = step::waking;
    later(caller_, costs_.wake);
  }
}

// Lazy waking, as in coordinator::wake_workers.
void simulation::wake_workers() {
  if (unclaimed() == 0 || now_ - last_wake_ < in_seconds(unclaimed_ns)) return;
  last_wake_ = now_;
  wake_one();
}

// While the caller is idle and work lies unclaimed, it looks again.
void simulation::set_alarm() {
  if (alarm_set_ || unclaimed() == 0 || asleep_.empty()) return;
  alarm_set_ = true;
  later(alarm_, std::min(last_wake_ + in_seconds(unclaimed_ns), sleeps_at()) - now_);
}

void simulation::alarm() {
  alarm_set_ = false;
  if (doing_ != step::idle || unclaimed() == 0) return;
  last_wake_ = now_;
  wake_one();
  // Once the caller sleeps, it is woken now and then.
  if (!asleep_.empty()) {
    alarm_set_ = true;
    later(alarm_, now_ < sleeps_at() ? in_seconds(unclaimed_ns) : in_seconds(watch_unclaimed_ns));
  }
}

}  // namespace forkful::detail
