// Time, cores, and workers. Their rules are those of worker/loop.cpp and board/board.cpp.
#include "advice/simulation.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "board/chunking.hpp"
#include "board/pace.hpp"

namespace forkful::detail {

namespace {

constexpr std::size_t most_chunks = 50'000;  // that are simulated one by one

}  // namespace

simulation::simulation(const workload& work, const crew_plan& plan, const machine& on)
    : work_(work),
      plan_(plan),
      costs_(costs_of(work, plan, on)),
      caller_runs_(plan.by == way::threads),
      caller_(costs_.runners),
      alarm_(costs_.runners + 1),
      workers_(costs_.runners),
      last_wake_(-1) {
  const std::size_t size = next_chunk(work.slices, work.slices, costs_.runners, work.asked_chunk,
                                      static_cast<std::size_t>(costs_.slice_bytes), slice_ns());
  grouping_ = work.slices / std::max<std::size_t>(size, 1) / most_chunks + 1;
  absent_ = workers_.size();
  const double passed = costs_.pass * static_cast<double>(size);
  handling_is_passing_ = passed > 0 ? passed / (costs_.claim + passed) : 0;
}

// ---- Time -----------------------------------------------------------------------------------------------------------

void simulation::find_pace() {
  const auto computing = static_cast<double>(computing_.size());
  const double share = std::clamp(work_.cpu_share, 0.0, 1.0);
  const double wanted = static_cast<double>(running_.size()) + computing * share * costs_.demand;
  pace_ = wanted > plan_.cores ? plan_.cores / wanted : 1;
  const double fight = costs_.fighting_for_memory(std::min(computing * share, static_cast<double>(plan_.cores)));
  compute_pace_ = 1 / (share * fight / pace_ + 1 - share);
}

void simulation::account_waiting(double workers, double seconds) {
  const double all = workers * seconds;
  if (doing_ == step::starting) {
    parts_.start += all;
  } else if (doing_ != step::handing_out && next_slice_ == work_.slices && (!computing_.empty() || handling_ != 0)) {
    parts_.tail += all;
  } else if (doing_ == step::waking) {
    parts_.wake += all;
  } else if (doing_ == step::idle) {
    parts_.tail += all;
  } else {
    parts_.pass += all * doing_passing_;
    parts_.hand_out += all * (1 - doing_passing_);
  }
}

void simulation::pass(double seconds) {
  parts_.start += static_cast<double>(absent_) * seconds;
  parts_.wake += static_cast<double>(woken_) * seconds;
  // There is something to run for so many of the workers that sleep.
  const auto sleepers = static_cast<double>(asleep_.size());
  const double needed = std::min(sleepers, static_cast<double>(unclaimed()));
  parts_.wake += needed * seconds;
  account_waiting(sleepers - needed, seconds);
  account_waiting(static_cast<double>(looking_.size()), seconds);
  const double handled = static_cast<double>(handling_) * seconds;
  parts_.contention += handled * (1 - pace_);
  parts_.pass += handled * pace_ * handling_is_passing_;
  parts_.hand_out += handled * pace_ * (1 - handling_is_passing_);
  const double computed = static_cast<double>(computing_.size()) * seconds;
  parts_.compute += computed * compute_pace_ / costs_.longer;
  parts_.contention += computed * (1 - compute_pace_ / costs_.longer);
  running_.pass(seconds, pace_);
  computing_.pass(seconds, compute_pace_);
  waiting_.pass(seconds, 1);
  now_ += seconds;
}

prediction simulation::run() {
  const double threads_are_there = caller_runs_ ? 0 : costs_.start;
  if (threads_are_there == 0) {
    for (std::uint32_t i = 0; i != workers_.size(); ++i) {
      workers_[i].is = state::asleep;
      asleep_.push_back(i);
    }
    absent_ = 0;
    const double rousing = caller_runs_ ? costs_.rouse * static_cast<double>(helpers_called()) : 0;
    do_step(step::beginning, costs_.once + costs_.broadcast + rousing, costs_.broadcast);
  } else {
    do_step(step::starting, costs_.start, 0);
  }
  while (doing_ != step::ended) {
    find_pace();
    const double of_running = running_.until_first(pace_);
    const double of_computing = computing_.until_first(compute_pace_);
    const double of_waiting = waiting_.until_first(1);
    const double next = std::min({of_running, of_computing, of_waiting});
    if (next == std::numeric_limits<double>::infinity()) break;
    pass(next);
    if (next == of_running) {
      happens_to(running_.leave());
    } else if (next == of_computing) {
      finish(computing_.leave());
    } else {
      happens_to(waiting_.leave());
    }
  }
  const auto count = static_cast<double>(workers_.size());
  for (double* part : {&parts_.start, &parts_.wake, &parts_.compute, &parts_.contention, &parts_.pass, &parts_.hand_out,
                       &parts_.tail}) {
    *part /= count;
  }
  parts_.wall = now_;
  return parts_;
}

void simulation::happens_to(std::uint32_t who) {
  if (who == alarm_) {
    alarm();
  } else if (who == caller_) {
    caller_goes_on();
  } else if (workers_[who].is == state::woken) {
    --woken_;
    workers_[who].burst_began = now_;
    look(who);
  } else {
    --handling_;
    compute(who);
  }
}

void simulation::work_on(std::uint32_t who, double seconds) { running_.enter(who, seconds); }
void simulation::later(std::uint32_t who, double seconds) { waiting_.enter(who, std::max(seconds, 0.0)); }

// ---- Workers --------------------------------------------------------------------------------------------------------

// Threads claim slices of the input itself.
std::size_t simulation::unclaimed() const noexcept {
  return caller_runs_ ? work_.slices - next_slice_ : chunks_.size() - claimed_;
}

simulation::chunk simulation::cut() {
  const std::size_t left = work_.slices - next_slice_;
  const std::size_t size = next_chunk(work_.slices, left, costs_.runners, work_.asked_chunk,
                                      static_cast<std::size_t>(costs_.slice_bytes), slice_ns());
  std::size_t count = 1;
  // As long as many are left: the end is simulated chunk by chunk.
  if (grouping_ > 1) count = std::clamp<std::size_t>(left / (4 * std::size_t{costs_.runners}) / size, 1, grouping_);
  chunk made{next_slice_, next_slice_ + std::min(size * count, left), count, false};
  next_slice_ = made.last;
  slices_out_ += made.slices();
  on_board_ += count;
  parts_.chunks += count;
  return made;
}

void simulation::look(std::uint32_t who) {
  worker& self = workers_[who];
  if (unclaimed() == 0) {
    self.is = state::looking;
    self.idle_since = now_;
    forget_sleepy();
    if (looking_.size() + 1 < plan_.cores || caller_runs_) {
      looking_.push_back(who);
    } else {
      self.is = state::asleep;
      asleep_.push_back(who);
    }
    ring(true, 0);
    return;
  }
  if (caller_runs_) chunks_.push_back(cut());
  self.holds = claimed_++;
  const chunk& mine = chunks_[self.holds];
  if (!caller_runs_ && unclaimed() != 0 && now_ - self.burst_began >= in_seconds(unclaimed_ns)) {
    self.burst_began = now_;
    wake_one();
  }
  double takes = costs_.claim * static_cast<double>(mine.count) + costs_.pass * static_cast<double>(mine.slices());
  if (!self.has_broadcast) takes += costs_.broadcast_decoded;
  self.has_broadcast = true;
  if (caller_runs_ && who == 0) {
    takes += (costs_.publish + costs_.take_back) * static_cast<double>(std::exchange(finished_since_, 0));
  }
  self.is = state::handling;
  ++handling_;
  work_on(who, takes);
}

void simulation::compute(std::uint32_t who) {
  worker& self = workers_[who];
  const chunk& mine = chunks_[self.holds];
  self.is = state::computing;
  computing_.enter(who, work_.time.sum(mine.first, mine.last) * costs_.longer);
}

void simulation::finish(std::uint32_t who) {
  chunk& mine = chunks_[workers_[who].holds];
  mine.done = true;
  finished_since_ += mine.count;
  ring(false, workers_[who].holds);
  look(who);
}

// A worker that has spun long enough sleeps.
void simulation::forget_sleepy() {
  while (!looking_.empty() && !caller_runs_ &&
         now_ - workers_[looking_.front()].idle_since >= in_seconds(worker_spins_ns)) {
    workers_[looking_.front()].is = state::asleep;
    asleep_.push_back(looking_.front());
    looking_.pop_front();
  }
}

void simulation::wake_one() {
  forget_sleepy();
  if (!looking_.empty() || asleep_.empty()) return;  // a worker that spins finds it by itself
  workers_[asleep_.back()].is = state::woken;
  ++woken_;
  // When caller and workers occupy all cores, none is free for one more.
  const bool crowded = 1 + workers_.size() - asleep_.size() >= plan_.cores;
  const double wake = crowded ? costs_.crowded_wake : costs_.wake;
  // Threads are roused one after another before anything else; it was counted then.
  later(asleep_.back(), caller_runs_ ? costs_.wake - costs_.rouse : wake);
  asleep_.pop_back();
}

}  // namespace forkful::detail
