#include "measure/whole_timeline.hpp"

#include <algorithm>
#include <new>
#include <tuple>

namespace forkful::detail {

namespace {

using std::chrono::nanoseconds;
constexpr std::size_t most_steps = recorder::most;

bool in_order(const std::vector<timeline_step>& all) noexcept {
  return std::adjacent_find(all.begin(), all.end(), [](const timeline_step& one, const timeline_step& next) {
           return next.begin < one.end;
         }) == all.end();
}

bool earlier(const timeline_step& one, const timeline_step& other) noexcept { return one.begin < other.begin; }

// Cuts each to what begins after the one before it has ended.
void cut(std::vector<timeline_step>& sorted) {
  nanoseconds free_from = nanoseconds::min();
  std::size_t kept = 0;
  for (timeline_step step : sorted) {
    step.begin = std::max(step.begin, free_from);
    if (step.end <= step.begin) continue;
    free_from = step.end;
    sorted[kept++] = step;
  }
  sorted.resize(kept);
}

}  // namespace

std::vector<timeline_step> untangled(std::vector<timeline_step> all) {
  if (in_order(all)) return all;
  const auto first_idle = std::stable_partition(
      all.begin(), all.end(), [](const timeline_step& step) { return step.what != timeline_step::kind::idle; });
  std::vector<timeline_step> waits(first_idle, all.end());
  all.erase(first_idle, all.end());
  std::stable_sort(all.begin(), all.end(), earlier);
  std::stable_sort(waits.begin(), waits.end(), earlier);
  cut(all);
  cut(waits);
  std::vector<timeline_step> both;
  both.reserve(all.size() + waits.size());
  std::size_t next = 0;
  for (timeline_step wait : waits) {
    for (; next < all.size() && all[next].begin < wait.end; ++next) {
      if (all[next].begin > wait.begin) both.push_back({wait.what, wait.begin, all[next].begin});
      if (all[next].end > wait.end) {  // it goes on beside the next wait too
        wait.begin = wait.end;
        break;
      }
      wait.begin = std::max(wait.begin, all[next].end);
    }
    if (wait.end > wait.begin) both.push_back(wait);
  }
  both.insert(both.end(), all.begin(), all.end());
  std::sort(both.begin(), both.end(), earlier);
  return both;
}

whole_timeline::whole_timeline() : kept_(recorder::of_many_calls{}) {}

void whole_timeline::add(const timeline& one, nanoseconds began, std::uint64_t call) noexcept {
  thinned_ = thinned_ || one.thinned;
  for (timeline_chunk chunk : one.chunks) {
    chunk.begin += began;
    chunk.end += began;
    if (call != 0) chunk.call = call;
    kept_.add(chunk);
  }
  try {
    for (timeline_event event : one.events) {
      event.at += began;
      if (call != 0) event.call = call;
      kept_.add(std::move(event));
    }
    for (timeline_step step : one.caller) {
      step.begin += began;
      step.end += began;
      steps_.push_back(step);
    }
    if (steps_.size() > 2 * most_steps) bound_steps();
  } catch (const std::bad_alloc&) {
    thinned_ = true;
  }
}

// Draws neighbours together, not across time in which there was no call, as long as that can be seen.
void whole_timeline::bound_steps() {
  steps_ = untangled(std::move(steps_));
  while (steps_.size() > most_steps) {
    thinned_ = true;
    shortest_ = std::max(shortest_ * 2, nanoseconds(1000));
    std::size_t kept = 0;
    for (std::size_t i = 1; i < steps_.size(); ++i) {
      timeline_step& last = steps_[kept];
      const timeline_step& step = steps_[i];
      const bool together = last.what == step.what || last.end - last.begin < shortest_;
      if (!together || step.begin - last.end > shortest_) {
        steps_[++kept] = step;
        continue;
      }
      if (step.end - step.begin > last.end - last.begin) last.what = step.what;
      last.end = step.end;
    }
    steps_.resize(kept + 1);
  }
}

timeline whole_timeline::so_far(nanoseconds origin) const {
  timeline all = kept_.so_far();
  all.thinned = all.thinned || thinned_;
  for (timeline_chunk& chunk : all.chunks) {
    chunk.begin -= origin;
    chunk.end -= origin;
  }
  for (timeline_event& event : all.events) event.at -= origin;
  all.caller = untangled(steps_);
  for (timeline_step& step : all.caller) {
    step.begin -= origin;
    step.end -= origin;
  }
  return all;
}

}  // namespace forkful::detail
