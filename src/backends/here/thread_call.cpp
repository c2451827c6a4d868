#include "backends/here/thread_call.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "backends/inherited.hpp"
#include "board/chunking.hpp"
#include "board/pace.hpp"
#include "errors/exceptions.hpp"
#include "os/cancellation.hpp"
#include "os/cpu.hpp"
#include "os/identity.hpp"

namespace forkful::detail {

namespace {

std::exception_ptr pool_ended() {
  return std::make_exception_ptr(cancelled(
      "the pool was terminated while this call ran: what was not done is lost; call restart() and call again"));
}

class thread_call_handle final : public ongoing {
 public:
  explicit thread_call_handle(std::shared_ptr<thread_call> call) : call_(std::move(call)), made_by_(this_process()) {}
  ~thread_call_handle() override {
    const cancellation_deferred whole;
    if (this_process() != made_by_) {
      never_destroy(std::move(call_));
    } else {
      call_->release();
    }
  }
  bool advance(const wait_policy& how_long) override {
    const cancellation_deferred whole;
    check_process(made_by_);
    return call_->carry_on(how_long);
  }
  bool cancel(bool /*kill*/) override {
    const cancellation_deferred whole;
    check_process(made_by_);
    return call_->withdraw();
  }
  void conclude() override { call_->conclude(happened); }

 private:
  std::shared_ptr<thread_call> call_;
  std::uint64_t made_by_;
};

}  // namespace

std::unique_ptr<ongoing> handle_of(std::shared_ptr<thread_call> call) {
  return std::make_unique<thread_call_handle>(std::move(call));
}

thread_call::thread_call(std::shared_ptr<thread_crew> where, job& work, const call_options& options,
                         std::shared_ptr<void> owner)
    : crew_(std::move(where)),
      job_(work),
      owner_(std::move(owner)),
      options_(options),
      counted_(work, crew_->workers(), stopwatch::phase::pass_in),
      process_(this_process()),
      known_(work.pull == nullptr ? work.slices : 0),
      input_ended_(work.pull == nullptr),
      helped_(crew_->has_threads()),
      completion_(job_, options_) {
  if (work.recorded != nullptr) counted_.record(std::move(work.recorded));
}

// ---- What is left ----------------------------------------------------------------------------------------------------

std::size_t thread_call::unclaimed() const noexcept {
  const std::size_t end = std::min(known_, limit_.load(std::memory_order_relaxed));
  return end - std::min(end, claimed_);
}

bool thread_call::claimable() const noexcept { return unclaimed() != 0 && (!job_.alone || running_ == 0); }

std::size_t thread_call::chunks_left() const noexcept {
  if (job_.alone) return 1;
  const std::size_t size = next_size();
  return (unclaimed() + size - 1) / size;
}

bool thread_call::more_input() const noexcept {
  return !input_ended_ && limit_.load(std::memory_order_relaxed) > known_;
}

bool thread_call::ended() const noexcept { return !more_input() && unclaimed() == 0 && chunks_.empty(); }

// Slices of the next chunk.
std::size_t thread_call::next_size() const noexcept {
  const unsigned workers = job_.alone ? 1 : crew_->workers();
  const std::size_t all = std::max(job_.slices, known_);
  if (job_.pull == nullptr) {
    const std::size_t size = next_chunk(all, known_ - claimed_, workers, options_.chunk, 0, slice_ns_);
    // One for each thread at least: none comes later by itself, should slices take longer this time.
    return options_.chunk != 0 ? size : std::min(size, std::max<std::size_t>(all / workers, 1));
  }
  std::size_t size = options_.chunk != 0 ? options_.chunk : lazy_size_;
  // Where it is known how many there are, it is not known how long they take.
  if (job_.slices > claimed_)
    size = std::min(size, next_chunk(all, job_.slices - claimed_, workers, options_.chunk, 0, 0));
  if (options_.window != 0)
    size = std::min(size, std::max<std::size_t>(1, options_.window / (2 * std::size_t{workers})));
  return size;
}

// ---- The caller's thread ---------------------------------------------------------------------------------------------

bool thread_call::carry_on(const wait_policy& how_long) {
  lock_type lock(crew_->mutex);
  if (counted_.is_away()) counted_.come_back(now_ns());
  try {
    if (!begun_) {
      begun_ = true;
      beside_others_ = crew_->calls++ != 0;
      number_ = ++crew_->begun;
      slice_ns_ = crew_->took.of(likeness_of(job_));
      counted_.published(now_ns());
      if (unclaimed() != 0 && !crew_->closed()) {
        if (how_long.only_publish) alone_ = false;
        if (!alone_) {
          counted_.watch.enter(stopwatch::phase::wake);
          share(lock, how_long.only_publish || !may_run(how_long));
        }
      }
    }
    for (;;) {
      if (options_.stop.stop_requested()) stop(nullptr);
      if (crew_->closed()) close();
      const std::uint64_t input_after =
          how_long.enough == nullptr || (chunks_.empty() && unclaimed() == 0) ? 0 : reader_.not_before();
      const bool holds_input = input_after != 0 && now_ns() < input_after;
      bool moved = !holds_input && read_input(lock);
      if (how_long.only_publish && !more_input()) break;
      if (collect(lock, how_long)) moved = true;
      report_progress(lock, ended());
      if (ended()) {
        if (completion_.stopped()) collect_cancelled(lock);
        if (closed_) completion_.stop(pool_ended());
        counted_.watch.enter(stopwatch::phase::idle);
        return true;
      }
      if (moved && how_long.met()) break;
      if (moved) continue;
      if (how_long.until != for_ever && now_ns() >= how_long.until) break;
      if (may_run(how_long) && (claimable() || takeable())) {
        const thread_crew::worker_number mine(*crew_, lock);
        if (mine.taken()) {
          counted_.watch.enter(stopwatch::phase::idle);
          if (alone_) {
            run_alone(lock, mine.worker());
          } else {
            run(lock, mine.worker(), 1);
          }
          continue;
        }
      }
      wait(lock, holds_input ? std::min(how_long.until, input_after) : how_long.until);
    }
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    stop(std::current_exception());
    input_ended_ = true;
    while (running_ != 0) wait(lock, for_ever);
    std::list<thread_chunk> dropped;
    dropped.swap(chunks_);
    lock.unlock();
    throw;
  }
  const std::uint64_t left = now_ns();
  if (counted_.watch.now() != stopwatch::phase::idle) counted_.watch.enter(stopwatch::phase::idle, left);
  counted_.leave(left);
  return false;
}

// A caller that reports progress, or looks only for a while, runs no slices; but alone, or where no thread helps, it
// runs them in between.
bool thread_call::may_run(const wait_policy& how_long) const noexcept {
  return how_long.until == for_ever && (!options_.progress || alone_ || !helped_);
}

void thread_call::share(lock_type& lock, bool watching) {
  alone_ = false;
  if (unclaimed() == 0) return;
  crew_->open(shared_from_this());
  const auto wanted = std::min<std::size_t>(chunks_left(), crew_->workers());
  crew_->call_helpers(lock, watching ? wanted : wanted - 1);
}

// Reads as far ahead as may be. Exceptions of the input are thrown when what came before is run.
bool thread_call::read_input(lock_type& lock) {
  if (!more_input()) return false;
  const std::size_t ahead = known_ - collected_;
  std::size_t wanted = next_size();
  if (options_.window != 0) {
    wanted = std::min(wanted, options_.window - std::min(options_.window, ahead));
  } else if (ahead >= 2 * std::size_t{crew_->workers()} * wanted) {
    wanted = 0;
  }
  if (wanted == 0) return false;
  // In whatever order they are collected: slices of later chunks may still be run.
  const std::size_t forgotten = chunks_.empty() ? claimed_ : chunks_.front().first;
  lock.unlock();
  counted_.watch.enter(stopwatch::phase::pass_in);
  if (job_.forget != nullptr) job_.forget(job_.caller, forgotten);
  std::size_t got = 0;
  std::exception_ptr thrown;
  try {
    got = reader_.read(job_, wanted, options_.chunk != 0);
  } catch (...) {
    thrown = std::current_exception();
  }
  lock.lock();
  const bool was_claimable = claimable();
  known_ += got;
  if (got == 0) input_ended_ = true;
  if (thrown != nullptr) completion_.input_failed(std::move(thrown));
  if (got == 0) return false;
  if (alone_) return true;
  if (!was_claimable) crew_->open(shared_from_this());
  // The caller goes on reading, and then leaves to use the results.
  crew_->call_helpers(lock, 1);
  return true;
}

bool thread_call::collect(lock_type& lock, const wait_policy& how_long) {
  bool any = false;
  for (;;) {
    auto next = chunks_.begin();
    if (job_.unordered) next = std::find_if(next, chunks_.end(), [](const thread_chunk& one) { return one.done; });
    if (next == chunks_.end() || !next->done || (job_.alone && unclaimed() + running_ != 0)) return any;
    std::list<thread_chunk> taken;
    taken.splice(taken.begin(), chunks_, next);
    collect_one(taken.front(), lock);
    any = true;
    if (how_long.met()) return true;
  }
}

void thread_call::collect_one(thread_chunk& what, lock_type& lock) {
  // The threads that run slices see a stop_token before we do.
  if (what.reached < what.last && options_.stop.stop_requested()) stop(nullptr);
  const bool wanted = job_.collect != nullptr && !completion_.has_reason();
  lock.unlock();
  counted_.watch.enter(stopwatch::phase::reassemble);
  count(what);
  if (!what.failures.empty()) completion_.fail(what.failures.front().slice, what.failures.front().failure);
  if (what.reached < what.last) completion_.missing(what.reached);
  if (wanted) {
    std::size_t taken = 0;
    const finished_slices finished{what.first, what.reached, nullptr, what.results.get(), &what.failures, &taken};
    try {
      job_.collect(job_.caller, finished);
      completion_.collect_cancelled(what.reached, what.last);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (...) {  // what taking a result throws (a `reduce`) is a failure of the slice whose result it was
      const std::size_t slice = what.first + taken;
      const slice_failure failure = capture_exception(job_.named(slice), what.times.worker, 1);
      const lock_type again(crew_->mutex);  // it may stop the call
      completion_.fail_to_collect(slice, failure);
      lower_limit(0);
    }
  }
  what.results.reset();
  lock.lock();
  collected_ = job_.unordered ? collected_ + (what.last - what.first) : what.last;
  if (job_.pull != nullptr && what.times.ran < long_enough_ns && what.last - what.first >= lazy_size_) lazy_size_ *= 2;
}

void thread_call::count(const thread_chunk& what) {
  counted_.add(what.times);
  ran_ns_ += what.times.ran;
  ran_slices_ += what.reached - what.first;
  saw(what);
  if (counted_.may_be_slow(static_cast<std::uint64_t>(what.slowest.time.count()))) counted_.add_slow(what.slowest);
  if (!counted_.recording()) return;
  for (const failed_slice& one : what.failures) counted_.add_failure(one.failure, now_ns());
}

// What no thread began.
void thread_call::collect_cancelled(lock_type& lock) {
  if (std::exchange(cancelled_, true)) return;
  const std::size_t first = claimed_;
  const std::size_t end = known_;
  if (first < end || !input_ended_) completion_.missing(first);
  lock.unlock();
  completion_.collect_cancelled(first, end);
  lock.lock();
}

void thread_call::report_progress(lock_type& lock, bool last) {
  const std::uint64_t now = options_.progress ? now_ns() : 0;
  if (!completion_.progress_is_due(now, last)) return;
  const progress so_far{
      job_.named(ran_.load(std::memory_order_relaxed)), job_.all(), {}, static_cast<unsigned>(running_)};
  lock.unlock();
  completion_.report_progress(now, so_far);
  lock.lock();
}

// Spins first: most calls end while it does.
void thread_call::wait(lock_type& lock, std::uint64_t until) {
  counted_.watch.enter(stopwatch::phase::idle);
  const std::uint32_t seen = events_.load(std::memory_order_relaxed);
  lock.unlock();
  const std::uint64_t began = now_ns();
  std::uint64_t now = began;
  while (events_.load(std::memory_order_relaxed) == seen && spun_ns_ + (now - began) < caller_spins_ns && now < until) {
    if (now - began > polite_ns) let_others_run();
    for (int i = 0; i < 32; ++i) relax();
    now = now_ns();
  }
  spun_ns_ += now - began;
  lock.lock();
  if (events_.load(std::memory_order_relaxed) != seen || now >= until) return;
  asleep_ = true;
  const std::uint64_t most = options_.progress ? progress_ns : watch_ns;
  news_.wait_for(lock, std::chrono::nanoseconds(std::min(until - now, most)));
  asleep_ = false;
}

void thread_call::conclude(report& happened) {
  counted_.finish_into(happened, now_ns());
  {
    const lock_type lock(crew_->mutex);
    crew_->took.saw(likeness_of(job_), ran_ns_, ran_slices_);
    happened.beside_others = beside_others_ || (begun_ && crew_->begun != number_);
  }
  if (!helped_) {
    happened.warnings.emplace_back(
        "no thread helped: this process was forked from one that had a pool of threads, and oneTBB's do not survive "
        "that; make the pool of threads after the fork only, or use a process_pool");
  }
  happened.chunks = 0;
  for (const worker_row& row : happened.per_worker) happened.chunks += row.chunks;
  completion_.conclude();
}

bool thread_call::withdraw() {
  const lock_type lock(crew_->mutex);
  if (claimed_ != 0 || completion_.stopped()) return false;
  stop(nullptr);
  if (asleep_) news_.notify_one();
  return true;
}

void thread_call::release() noexcept {
  lock_type lock(crew_->mutex);
  if (begun_) --crew_->calls;
  stop(nullptr);
  input_ended_ = true;
  while (owner_ == nullptr && running_ != 0) wait(lock, for_ever);
  crew_->forget(*this);
}

void thread_call::stop(std::exception_ptr reason) noexcept {
  const bool again = completion_.stopped();
  completion_.stop(std::move(reason));
  if (again) return;
  lower_limit(0);
  ++events_;
}

void thread_call::close() noexcept {
  if (unclaimed() == 0 && !more_input()) return;
  closed_ = true;
  stop(nullptr);
  if (asleep_) news_.notify_one();
}

}  // namespace forkful::detail
