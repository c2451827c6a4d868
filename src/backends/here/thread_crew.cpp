#include "backends/here/thread_crew.hpp"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <new>
#include <set>
#include <utility>

#include "errors/exceptions.hpp"
#include "os/cpu.hpp"
#include "os/identity.hpp"

namespace forkful::detail {

namespace {

thread_local thread_crew::worker_number* innermost_number = nullptr;

// oneTBB runs no more threads than CPUs unless it is told, and the smallest of all controls counts: one for the whole process, as
// large as its largest pool needs.
class parallelism {
 public:
  static void raise(unsigned threads) {
    parallelism& all = of_process();
    const std::lock_guard lock(all.mutex_);
    all.wanted_.insert(threads);
    all.apply();
  }
  static void lower(unsigned threads) noexcept {
    parallelism& all = of_process();
    const std::lock_guard lock(all.mutex_);
    all.wanted_.erase(all.wanted_.find(threads));
    try {
      all.apply();
    } catch (...) {
      // Without memory for a smaller one the larger one stays.
    }
  }

 private:
  static parallelism& of_process() {
    static auto& one = *new parallelism;  // pools may be static, too
    return one;
  }
  void apply() {
    const std::size_t most = wanted_.empty() ? 0 : *wanted_.rbegin();
    if (most == now_) return;
    std::unique_ptr<tbb::global_control> next;
    if (most != 0) next = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism, most);
    control_ = std::move(next);
    now_ = most;
  }

  std::mutex mutex_;
  std::multiset<std::size_t> wanted_;
  std::size_t now_ = 0;
  std::unique_ptr<tbb::global_control> control_;
};

// Crews that have ended while helpers were on their way: nothing else keeps alive what those are called to. Takes no memory:
// an end must not fail.
class ended_crews {
 public:
  using node = std::list<std::shared_ptr<thread_crew>>;
  // `own` holds one element, which is what is stored.
  static void keep(node& own, std::shared_ptr<thread_crew> crew) noexcept {
    own.front() = std::move(crew);
    ended_crews& all = of_process();
    const std::lock_guard lock(all.mutex_);
    all.crews_.splice(all.crews_.end(), own);
  }
  // Its last helper has come.
  static node release(const thread_crew* crew) noexcept {
    node last;
    ended_crews& all = of_process();
    const std::lock_guard lock(all.mutex_);
    const auto found =
        std::find_if(all.crews_.begin(), all.crews_.end(), [&](const auto& one) { return one.get() == crew; });
    if (found != all.crews_.end()) last.splice(last.end(), all.crews_, found);
    return last;
  }

 private:
  static ended_crews& of_process() noexcept {
    alignas(ended_crews) static std::byte memory[sizeof(ended_crews)];
    static auto& one = *new (memory) ended_crews;  // never destroyed: helpers may be on their way still
    return one;
  }
  std::mutex mutex_;
  node crews_;
};

}  // namespace

// A place for each worker and one for a caller that only watches.
struct thread_crew::threads {
  explicit threads(unsigned workers) : arena(static_cast<int>(workers) + 1, 1), most(workers + 1) {
    parallelism::raise(most);
  }
  threads(const threads&) = delete;
  threads& operator=(const threads&) = delete;
  ~threads() { parallelism::lower(most); }

  tbb::task_arena arena;
  unsigned most;
};

thread_crew::thread_crew(unsigned workers, const pool_options& options)
    : workers_(workers),
      most_coming_(std::max(1U, usable_cpus() - 1)),
      on_worker_start_(options.on_worker_start),
      on_worker_exit_(options.on_worker_exit),
      threads_(own_threads() ? std::make_shared<threads>(workers) : nullptr),
      started_(workers) {
  for (unsigned i = workers; i != 0; --i) free_.push_back(i - 1);
}

thread_crew::worker_number::worker_number(thread_crew& where, lock_type& lock) noexcept
    : where_(where), lock_(lock), outer_(innermost_number) {
  for (const worker_number* mine = outer_; mine != nullptr; mine = mine->outer_) {
    if (&mine->where_ != &where) continue;
    worker_ = mine->worker_;
    taken_ = borrowed_ = true;
    break;
  }
  if (!taken_ && !where.free_.empty()) {
    worker_ = where.free_.back();
    where.free_.pop_back();
    taken_ = true;
  }
  if (taken_) innermost_number = this;
}

thread_crew::worker_number::~worker_number() {
  if (!taken_) return;
  innermost_number = outer_;
  if (borrowed_) return;
  // Low numbers are used first. There is room: it was there before.
  auto& free = where_.free_;
  free.insert(std::lower_bound(free.begin(), free.end(), worker_, std::greater<>{}), worker_);
  if (!where_.open_.empty()) where_.call_helpers(lock_, 1);
  where_.quiet_.notify_all();
}

void thread_crew::open(std::shared_ptr<open_call> call) { open_.push_back(std::move(call)); }

void thread_crew::forget(const open_call& call) noexcept {
  std::erase_if(open_, [&](const auto& other) { return other.get() == &call; });
}

void thread_crew::call_helpers(lock_type& lock, std::size_t wanted) noexcept {
  std::size_t more = std::min({wanted, free_.size(), most_coming_});
  more -= std::min(more, coming_);
  if (more == 0 || threads_ == nullptr) return;
  coming_ += more;
  const std::shared_ptr<threads> where = threads_;
  lock.unlock();
  std::size_t called = 0;
  try {
    for (; called < more; ++called) where->arena.enqueue([this] { help(); });
  } catch (...) {
    // No memory, or no threads. The thread that waits for the call runs it.
  }
  lock.lock();
  coming_ -= more - called;
  if (threads_ == nullptr && coming_ == 0) ended_crews::release(this);  // the thread that calls helpers holds it, too
}

std::exception_ptr thread_crew::get_ready(lock_type& lock, unsigned worker) noexcept {
  if (started_[worker]) return nullptr;
  started_[worker] = true;
  if (on_worker_start_ == nullptr) return nullptr;
  lock.unlock();
  std::exception_ptr thrown;
  try {
    on_worker_start_();
  } catch (...) {
    thrown =
        std::make_exception_ptr(start_failed("on_worker_start threw " + thrown_text(capture_exception(0, worker, 1)) +
                                             "; every worker has to get through its start: put the function right"));
  }
  lock.lock();
  // The next thread that runs as this worker tries again.
  if (thrown != nullptr) started_[worker] = false;
  return thrown;
}

void thread_crew::help() noexcept {
  ended_crews::node last;  // goes last
  lock_type lock(mutex);
  --coming_;
  {
    const worker_number mine(*this, lock);
    if (mine.taken()) run_open_calls(lock, mine.worker());
  }
  if (threads_ == nullptr && coming_ == 0) last = ended_crews::release(this);
  lock.unlock();
}

void thread_crew::run_open_calls(lock_type& lock, unsigned worker) noexcept {
  while (!open_.empty()) {
    std::shared_ptr<open_call> call = open_.front();
    if (call->claimable()) {
      call_helpers(lock, call->chunks_left() + open_.size() - 2);  // all but the chunk that is taken here
      if (call->claimable()) call->run(lock, worker, SIZE_MAX);
    } else {
      open_.pop_front();
    }
    lock.unlock();
    call.reset();
    lock.lock();
  }
}

void thread_crew::end(bool now) {
  std::deque<std::shared_ptr<open_call>> lost;  // goes last
  std::shared_ptr<threads> ended;
  lock_type lock(mutex);
  if (now) {
    closed_ = true;
    lost.swap(open_);
    for (const auto& call : lost) call->close();
  }
  while (!now) {
    {
      const worker_number mine(*this, lock);
      if (mine.taken()) run_open_calls(lock, mine.worker());
    }
    if (free_.size() == workers_ && open_.empty()) break;
    quiet_.wait(lock);
  }
  closed_ = true;
  if (threads_ != nullptr && coming_ != 0) ended_crews::keep(node_, shared_from_this());
  ended = std::move(threads_);
  if (on_worker_exit_ == nullptr) return;
  std::vector<bool> started = std::exchange(started_, std::vector<bool>(workers_));
  for (unsigned worker = 0; worker != workers_; ++worker) {
    if (std::find(free_.begin(), free_.end(), worker) == free_.end()) started[worker] = false;  // runs a slice
  }
  lock.unlock();
  for (const bool one : started) {
    if (!one) continue;
    try {
      on_worker_exit_();
    } catch (...) {
      // As in workers that are processes.
    }
  }
}

}  // namespace forkful::detail
