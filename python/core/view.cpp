#include "view.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <forkful/shared.hpp>
#include <mutex>
#include <unordered_set>

namespace forkful::python {

namespace {

// Behind the mutex, for a fork may come from a thread that does not hold the GIL. Never destroyed, because that would be after the interpreter.
struct state {
  std::mutex mutex;
  std::unordered_set<view*> all;
  std::atomic<std::size_t> lent{0};
};
state& here() {
  static state& mine = *new state;
  return mine;
}

void before_fork() {
  here().mutex.lock();
  view::own_each();
}
void after_fork() { here().mutex.unlock(); }

}  // namespace

bool piece::take(void* memory) noexcept {
  memory_ = memory;
  owner_ = detail::this_process();
  return memory != nullptr;
}

piece::~piece() {
  if (memory_ != nullptr && detail::this_process() == owner_) detail::shared_deallocate(memory_);
}

std::shared_ptr<piece> collected_pieces::around(const char* data) {
  const void* const begin = detail::shared_block(data).data();
  const auto known = std::find_if(taken_.rbegin(), taken_.rend(), [&](const auto& one) { return one.first == begin; });
  if (known != taken_.rend()) return known->second;
  if (begin == nullptr || results_.keep == nullptr) return nullptr;
  // What needs memory comes first: a piece that is taken has an owner.
  auto made = std::make_shared<piece>();
  if (taken_.size() == taken_.capacity()) taken_.reserve(2 * taken_.size() + 1);
  if (!made->take(results_.keep(results_.keeper, data))) return nullptr;
  taken_.emplace_back(begin, made);
  return made;
}

std::shared_ptr<view> view::make(std::shared_ptr<piece> of, const char* data, std::size_t bytes, bool read_only) {
  static const bool watched = pthread_atfork(before_fork, after_fork, after_fork) == 0;
  if (!watched) return nullptr;
  std::shared_ptr<view> made(new view(std::move(of), bytes, read_only));
  state& mine = here();
  const std::lock_guard lock(mine.mutex);
  if (mine.all.size() >= most_views) return nullptr;
  mine.all.insert(made.get());
  made->data_ = static_cast<char*>(detail::private_view(data, bytes));
  if (made->data_ == nullptr) {
    mine.all.erase(made.get());
    return nullptr;
  }
  if (made->lent_) ++mine.lent;
  return made;
}

view::~view() {
  if (data_ == nullptr) return;
  {
    state& mine = here();
    const std::lock_guard lock(mine.mutex);
    mine.all.erase(this);
    if (lent_) --mine.lent;
  }
  detail::drop_view(data_, bytes_);
}

void view::own() {
  if (!lent_ && of_ == nullptr) return;
  detail::own_view(data_, bytes_);
  of_.reset();
  if (lent_) --here().lent;
  lent_ = false;
}

bool view::any_lent() noexcept { return here().lent.load(std::memory_order_relaxed) != 0; }

void view::own_lent() {
  state& mine = here();
  const std::lock_guard lock(mine.mutex);
  for (view* const one : mine.all) {
    if (one->lent_) one->own();
  }
}

void view::own_all() {
  const std::lock_guard lock(here().mutex);
  own_each();
}

void view::own_each() {
  for (view* const one : here().all) one->own();
}

}  // namespace forkful::python
