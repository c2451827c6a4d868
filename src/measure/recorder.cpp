#include "measure/recorder.hpp"

#include <algorithm>
#include <new>
#include <tuple>
#include <utility>

#include "board/board.hpp"

namespace forkful::detail {

namespace {

void append(timeline_chunk& to, const timeline_chunk& next) noexcept {
  to.idle += next.idle + std::max(std::chrono::nanoseconds(0), next.begin - to.end);
  if (next.begin < to.begin) {
    to.first = next.first;
    to.call = next.call;
  }
  to.begin = std::min(to.begin, next.begin);
  to.end = std::max(to.end, next.end);
  to.count += next.count;
  to.merged += next.merged;
  to.pass_in += next.pass_in;
  to.pass_out += next.pass_out;
}

// True if the step that follows is drawn with `to`: it is of the same kind, or `to` is too short to be drawn alone. Then the longer
// one gives its name.
bool append(timeline_step& to, const timeline_step& next, std::chrono::nanoseconds shortest) noexcept {
  const auto length = to.end - to.begin;
  if (to.what != next.what && length >= shortest) return false;
  if (next.end - next.begin > length) to.what = next.what;
  to.end = next.end;
  return true;
}

void put_in_order(timeline& all) {
  std::sort(all.chunks.begin(), all.chunks.end(), [](const timeline_chunk& a, const timeline_chunk& b) {
    return std::tie(a.worker, a.begin) < std::tie(b.worker, b.begin);
  });
  std::stable_sort(all.events.begin(), all.events.end(),
                   [](const timeline_event& a, const timeline_event& b) { return a.at < b.at; });
}

}  // namespace

recorder::recorder(const report& begun, std::unique_ptr<timeline_copy> copy)
    : copy_(std::move(copy)), call_(begun.call), last_(begun.workers, SIZE_MAX) {}

void recorder::add(timeline_chunk one) noexcept {
  if (!many_) one.call = call_;
  if (one.worker >= last_.size() && !grow(one.worker)) return;
  const std::size_t last = last_[one.worker];
  // Chunks of a worker mostly come back in the order in which it ran them.
  if (last != SIZE_MAX && kept_.chunks[last].merged < stride_ && kept_.chunks[last].end <= one.begin) {
    append(kept_.chunks[last], one);
    if (copy_ != nullptr) copy_->put(last, kept_.chunks[last], kept_.chunks.size());
    return;
  }
  if (kept_.chunks.size() == most) thin_chunks();
  try {
    kept_.chunks.push_back(one);
    last_[one.worker] = kept_.chunks.size() - 1;
    if (copy_ != nullptr) copy_->put(last_[one.worker], one, kept_.chunks.size());
  } catch (const std::bad_alloc&) {
    kept_.thinned = true;
  }
}

// Many calls may have more workers than the first one had.
bool recorder::grow(unsigned worker) noexcept {
  if (!many_ || worker >= max_workers) return false;
  try {
    last_.resize(worker + 1, SIZE_MAX);
    return true;
  } catch (const std::bad_alloc&) {
    kept_.thinned = true;
    return false;
  }
}

void recorder::thin_chunks() noexcept {
  kept_.thinned = true;
  auto& all = kept_.chunks;
  while (all.size() > most / 2) {
    stride_ *= 2;
    std::sort(all.begin(), all.end(), [](const timeline_chunk& a, const timeline_chunk& b) {
      return std::tie(a.worker, a.begin) < std::tie(b.worker, b.begin);
    });
    std::size_t kept = 0;
    for (std::size_t i = 1; i < all.size(); ++i) {
      if (all[kept].worker == all[i].worker && all[kept].merged + all[i].merged <= stride_) {
        append(all[kept], all[i]);
      } else {
        all[++kept] = all[i];
      }
    }
    all.resize(kept + 1);
    // More workers than entries: nothing is left to draw together.
    if (stride_ > (std::size_t{1} << 60)) break;
  }
  std::fill(last_.begin(), last_.end(), SIZE_MAX);
  for (std::size_t i = 0; i < all.size(); ++i) last_[all[i].worker] = i;
  if (copy_ != nullptr) copy_->replace(all);
}

void recorder::add(timeline_event one) noexcept {
  if (!many_) one.call = call_;
  if (copy_ != nullptr && one.what == timeline_event::kind::worker_died) copy_->count_death();
  if (kept_.events.size() == most_events) {
    kept_.thinned = true;
    return;
  }
  try {
    kept_.events.push_back(std::move(one));
  } catch (const std::bad_alloc&) {
    kept_.thinned = true;
  }
}

void recorder::add(const timeline_step& one) noexcept {
  auto& all = kept_.caller;
  if (!all.empty() && append(all.back(), one, shortest_)) return;
  if (all.size() == most) thin_steps();
  try {
    all.push_back(one);
  } catch (const std::bad_alloc&) {
    kept_.thinned = true;
  }
}

void recorder::thin_steps() noexcept {
  kept_.thinned = true;
  auto& all = kept_.caller;
  while (all.size() > most / 2) {
    shortest_ = std::max(shortest_ * 2, std::chrono::nanoseconds(1000));
    std::size_t kept = 0;
    for (std::size_t i = 1; i < all.size(); ++i) {
      if (!append(all[kept], all[i], shortest_)) all[++kept] = all[i];
    }
    all.resize(kept + 1);
  }
}

timeline recorder::take() {
  put_in_order(kept_);
  return std::exchange(kept_, {});
}

timeline recorder::so_far() const {
  timeline copy = kept_;
  put_in_order(copy);
  return copy;
}

}  // namespace forkful::detail
