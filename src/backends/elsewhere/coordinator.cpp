#include "backends/elsewhere/coordinator.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "board/pace.hpp"
#include "os/account.hpp"
#include "os/breakpoint.hpp"
#include "os/cancellation.hpp"
#include "os/cpu.hpp"
#include "os/identity.hpp"

namespace forkful::detail {

namespace {

constexpr std::size_t few_faults = 64;
constexpr std::uint64_t at_once_ns = 500'000;  // a thread that sleeps for less was not woken by what happened meanwhile

[[noreturn]] void throw_closed() {
  throw pool_closed(
      "this pool was terminated, so it has no workers: call restart() to start new ones, or make a new pool");
}

}  // namespace

coordinator::coordinator(unsigned workers, start_method start, const worker_settings& settings)
    : arena_(arena::own()),
      table_(arena_, workers),
      crew_(*table_, arena_, start, settings),
      late_(workers),
      relief_(workers),
      board_(*table_, arena_, crew_),
      made_by_(this_process()) {}

coordinator::~coordinator() {
  // Inherited by fork, the workers are not this process's to end, nor are the calls; the members see to that themselves.
  if (this_process() == made_by_) terminate();
}

void coordinator::fill() {
  const std::lock_guard lock(mutex_);
  crew_.fill();
}

std::shared_ptr<call> coordinator::begin(job& work, const call_options& options, std::shared_ptr<void> owner) {
  lock_type lock(mutex_);
  if (board_.closed) throw_closed();
  auto made = std::make_shared<call>(board_, work, options, ++calls_, std::move(owner));
  made->likeness = likeness_of(work);
  made->slice_ns = took_.of(made->likeness);
  made->beside_others = open_ != 0 || board_.tail() != board_.head();
  try {
    // Loaded with dlopen since the workers were started: they would jump into nowhere.
    if (!crew_.knows(reinterpret_cast<const void*>(work.run)) || !crew_.knows(work.code[0]) ||
        !crew_.knows(work.code[1])) {
      empty_board(lock);
      if (board_.closed) throw_closed();
      crew_.renew();
    }
    fill_for(made.get());
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    // Without workers nothing on the board will ever be finished.
    give_up_all(std::current_exception());
    destroy_retired(lock);
    throw;
  }
  if (board_.tail() == board_.head()) last_wake_.store(0, std::memory_order_relaxed);
  ++open_;
  return made;
}

bool coordinator::advance(const std::shared_ptr<call>& now, const wait_policy& how_long) {
  lock_type lock(mutex_);
  if (now->counted.is_away()) now->counted.come_back(now_ns());
  bool ended = false;
  try {
    ended = carry_on(now, lock, how_long);
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    give_up_all(std::current_exception());
    now->stop(std::current_exception());
  }
  note_end_of_input(*now);
  // A thread that waits may have to watch the crew now, or find room on the board.
  if (!led_) let_another_lead();
  ended = ended || now->ended();
  if (!ended && ports_.advanced(*now) && led_) crew_.ring();
  if (ended) now->take_final_figures();
  // Until the caller asks for it again.
  stopwatch& watch = now->counted.watch;
  const bool was_idle = watch.now() == stopwatch::phase::idle;
  // A submitted call, an imap half walked: our thread may be away for long, and a worker that is awake runs one chunk at a time.
  if (!ended || how_long.until != for_ever || how_long.enough != nullptr) {
    watch.enter(stopwatch::phase::idle);
    const std::uint64_t left = was_idle ? now_ns() : watch.since();
    now->counted.leave(left);
    if (!ended) wake_for_unclaimed(*table_, woken_, left);
  }
  destroy_retired(lock);
  return ended;
}

bool coordinator::carry_on(const std::shared_ptr<call>& now, lock_type& lock, const wait_policy& how_long) {
  for (;;) {
    if (board_.closed && (now->more_input() || now->wants_room())) {
      now->stop(std::make_exception_ptr(cancelled(
          "the pool was terminated while this call ran: what was not done is lost; call restart() and call again")));
    }
    if (now->stop_asked().stop_requested()) now->stop(nullptr);
    const std::uint64_t input_after = how_long.enough == nullptr ? 0 : now->input_after();
    const bool holds_input = input_after != 0 && now_ns() < input_after;
    bool moved = !holds_input && now->feed(now, lock);
    if (moved) wake_workers_for(*now);
    if (how_long.only_publish && !now->more_input() && !now->wants_room()) return false;
    if (board_.full()) take_back_finished();
    if (now->collect(now, lock, how_long)) {
      moved = true;
      idle_deaths_ = 0;
    }
    now->report_progress(lock, now->ended());
    if (now->ended()) return true;
    if (moved && how_long.met()) return false;
    if (moved) continue;
    if (how_long.until == 0 || (how_long.until != for_ever && now_ns() >= how_long.until)) {
      // Only a look: but a worker that has ended is to be seen, or it would be waited for in vain.
      if (!led_) {
        if (const waited came = crew_.wait(0); came == waited::lost) crew_.check(came);
        check_workers(now.get(), now_ns());
      }
      return now->collect(now, lock, how_long) && now->ended();
    }
    wait(now.get(), lock, holds_input ? std::min(how_long.until, input_after) : how_long.until);
  }
}

// Takes back what is done at the front of the board, of whatever call: then there is room.
void coordinator::take_back_finished() {
  while (board_.tail() != board_.head()) {
    const std::uint64_t front = board_.tail();
    if (!board_.done(front)) return;
    take_back(front);
  }
}

void coordinator::take_back(std::uint64_t sequence) {
  parent_board::record& mine = board_.at(sequence);
  call& owner = *mine.of;
  owner.take_back(*mine.what);
  owner.news.notify_one();
  call_ports::notify(owner);
}

// Lazy waking: when all workers sleep one is woken at once, and another each time that work has lain unclaimed for a
// while. Short calls are run by the workers that are awake, because waking costs more than they do.
// Returns when it began to wake one; 0: it did not.
std::uint64_t coordinator::wake_workers() noexcept {
  const unsigned before = unlooked_.load(std::memory_order_relaxed);
  if (before % 8 != 7 && any_worker_awake(*table_)) {
    unlooked_.store(before + 1, std::memory_order_relaxed);
    return 0;
  }
  unlooked_.store(0, std::memory_order_relaxed);
  const std::uint64_t now = now_ns();
  if (last_wake_.load(std::memory_order_relaxed) == 0 && any_worker_awake(*table_)) {
    last_wake_.store(now, std::memory_order_relaxed);
  }
  if (now - last_wake_.load(std::memory_order_relaxed) < unclaimed_ns || probably_unclaimed(*table_) == 0) return 0;
  last_wake_.store(now, std::memory_order_relaxed);
  wake_one(*table_);
  return now;
}

void coordinator::wake_workers_for(call& now) noexcept {
  const std::uint64_t began = wake_workers();
  if (began == 0) return;
  const stopwatch::phase before = now.counted.watch.now();
  if (before == stopwatch::phase::wake) return;
  now.counted.watch.enter(stopwatch::phase::wake, began);
  now.counted.watch.enter(before, now_ns());
}

// ---- Waiting: one thread leads, the others follow -----------------------------------------------------------------------

void coordinator::wait(call* now, lock_type& lock, std::uint64_t until, call_port* mine) {
  // Another call may have given up and ended all workers.
  if (!board_.closed && crew_.running_count() == 0) fill_for(now);
  if (now != nullptr && led_) now->counted.watch.enter(stopwatch::phase::idle);
  if (led_) {
    // The leader sleeps, and wakes no worker for what was published since.
    const bool unclaimed = probably_unclaimed(*table_) != 0;
    if (unclaimed) wake_sleeper(*table_);
    const auto most = std::chrono::nanoseconds(
        std::min(unclaimed ? watch_unclaimed_ns : watch_ns, until - std::min(until, now_ns())));
    if (now == nullptr) {
      (mine != nullptr ? mine->news : unled_).wait_for(lock, most);
      return;
    }
    want(now->first_on_board());
    if (now->something_back()) return;
    followers_.push_back(now);
    now->news.wait_for(lock, most);
    followers_.erase(std::find(followers_.begin(), followers_.end(), now));
    return;
  }
  led_ = true;
  try {
    if (now == nullptr || !spin(*now, lock, until)) sleep(now, lock, until, mine);
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    led_ = false;
    throw;
  }
  led_ = false;
  // Our thread may run user code now: another one has to lead meanwhile.
  let_another_lead();
}

void coordinator::let_another_lead() noexcept {
  if (!followers_.empty()) {
    followers_.front()->news.notify_one();
  } else {
    ports_.notify_one();
  }
  unled_.notify_one();
}

// The leader may sleep for a later chunk than this one: says so, before the thread that wants it looks once more (the mirror image
// of finish_chunk: store, fence, load).
void coordinator::want(std::uint64_t sequence) noexcept {
  if (sequence < table_->wanted.load(std::memory_order_relaxed)) {
    table_->wanted.store(sequence, std::memory_order_relaxed);
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

// Results of short slices arrive sooner than a sleeper wakes. True: the call's first chunk is done, or taken care of.
bool coordinator::spin(call& now, lock_type& lock, std::uint64_t until) {
  const std::uint64_t first = now.first_on_board();
  if (now.spun_ns >= caller_spins_ns || table_->max_spinners == 0 || first == board_.head()) return false;
  const std::atomic<std::uint64_t>& word = board_.entry(first).word;
  const std::uint32_t generation = board_.word(first).generation();
  const std::uint64_t began = now_ns();
  now.counted.watch.enter(stopwatch::phase::idle, began);
  const std::uint64_t most = std::min(caller_spins_ns - now.spun_ns, until - std::min(until, began));
  lock.unlock();
  std::uint64_t waited = 0;
  std::uint64_t look = relief_ns;
  bool arrived = false;
  for (; !arrived && waited < most; waited = now_ns() - began) {
    for (int i = 0; i < 32 && !arrived; ++i) {
      // relaxed: the thread that takes the chunk back looks again, with acquire.
      const chunk_word seen(word.load(std::memory_order_relaxed));
      arrived = seen.state() == chunk_state::done || seen.generation() != generation;
      relax();
    }
    if (waited > polite_ns) let_others_run();
    if (waited > unclaimed_ns) wake_workers();
    if (waited >= look) {
      lock.lock();
      look = waited + relief_ns;
      relief_.look(board_);
      lock.unlock();
    }
  }
  lock.lock();
  now.spun_ns += waited;
  if (arrived) now.counted.watch.enter(stopwatch::phase::reassemble, began + waited);
  return arrived;
}

void coordinator::sleep(call* now, lock_type& lock, std::uint64_t until, const call_port* mine) {
  if (now != nullptr) now->counted.watch.enter(stopwatch::phase::idle);
  gather_limits();
  const std::uint64_t look = relief_.look(board_);
  if (look == 0) return;
  until = std::min(until, look);
  const bool unclaimed = board_.something_ready();
  // Regardless of which workers seem to be looking: a spinner may have been stopped.
  if (unclaimed) wake_sleeper(*table_);
  const bool alone = now != nullptr && followers_.empty() && ports_.idle() && !now->wants_room() &&
                     now->first_on_board() != board_.head();
  table_->wanted.store(alone ? now->wanted() : board_.tail(), std::memory_order_relaxed);
  table_->parent_asleep.store(1, std::memory_order_relaxed);
  // Pairs with the fence in finish_chunk: a worker that marks its chunk done after this look sees that we sleep.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // What came back while we were spinning, or while no thread led.
  for (call* one : followers_) {
    if (one->wants_room() || one->something_back()) one->news.notify_one();
  }
  ports_.look(board_);
  const bool room =
      (now == nullptr || now->wants_room()) && board_.tail() != board_.head() && board_.done(board_.tail());
  const bool news = now != nullptr ? now->something_back() : mine != nullptr && mine->has_news();
  if (!room && !news) {
    // Where all workers are running there is none to wake.
    const std::uint64_t most = unclaimed && !all_running(*table_) ? watch_unclaimed_ns : watch_ns;
    const std::uint64_t nanoseconds = std::min(most, until - std::min(until, now_ns()));
    lock.unlock();
    const std::uint64_t slept = now_ns();
    try {
      const waited came = crew_.wait(static_cast<std::int64_t>(nanoseconds));
      lock.lock();
      crew_.check(came);
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      table_->parent_asleep.store(0, std::memory_order_relaxed);
      throw;
    }
    check_workers(now, slept);
  }
  table_->parent_asleep.store(0, std::memory_order_relaxed);
  gather_limits();
  take_back_finished();
  for (call* one : followers_) {
    if (one->wants_room() || one->something_back()) one->news.notify_one();
  }
  ports_.look(board_);
}

// ---- Ports: calls that no thread waits for, and one thread carries on --------------------------------------------------------

void coordinator::open(call_port& mine) {
  const std::lock_guard lock(mutex_);
  ports_.add(mine);
}

void coordinator::close(call_port& mine) noexcept {
  const std::lock_guard lock(mutex_);
  ports_.remove(mine);
}

void coordinator::leave_to(call_port& mine, call& one, const ongoing& known_as) {
  const std::lock_guard lock(mutex_);
  ports_.leave(one, mine, known_as, board_);
  want(one.first_on_board());
  if (ports_.advanced(one) && led_) crew_.ring();
  mine.news.notify_one();  // also without news: there is something to watch now
}

const ongoing* coordinator::next(call_port& mine, std::uint64_t until) {
  lock_type lock(mutex_);
  for (;;) {
    ports_.look(board_);
    if (mine.take_ring()) return nullptr;
    if (call* const one = mine.take_news(); one != nullptr) return one->left.known_as;
    if (until != for_ever && now_ns() >= until) return nullptr;
    try {
      if (!mine.idle()) {
        wait(nullptr, lock, until, &mine);
      } else if (until == for_ever) {
        mine.news.wait(lock);
      } else {
        mine.news.wait_for(lock, std::chrono::nanoseconds(until - std::min(until, now_ns())));
      }
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      give_up_all(std::current_exception());
    }
  }
}

void coordinator::ring(call_port& mine) noexcept {
  const std::lock_guard lock(mutex_);
  mine.ring();
  if (led_) crew_.ring();  // the port's own thread may lead
}

// ---- Deaths -------------------------------------------------------------------------------------------------------------

// Reaps and replaces the workers that crew::wait() said have ended.
void coordinator::check_workers(call* now, std::uint64_t slept) {
  late_.look(*table_, crew_);
  // A worker that ended while we slept woke us; one that had ended before did so at some time since we last looked.
  const std::uint64_t woke = now_ns();
  const std::uint64_t since = std::exchange(looked_, woke);
  const std::uint64_t ended_ns = woke - slept > at_once_ns ? woke : since;
  bool any = false;
  for (const unsigned worker : crew_.ended()) {
    any = true;
    const unsigned incarnation = crew_.incarnation(worker);
    death end = crew_.reap(worker);
    if (end.left) continue;
    if (!end.late) end.ended_ns = ended_ns;
    if (worker_died(worker, incarnation, end, now)) {
      idle_deaths_ = 0;
    } else {
      ++idle_deaths_;
    }
  }
  if (!any) return;
  // What a dead worker said of failures before it handed them in counts no more.
  for (std::uint64_t sequence = board_.tail(); sequence != board_.head(); ++sequence) {
    if (const auto& mine = board_.at(sequence); mine.owner != nullptr) mine.of->forget_announced_failures();
  }
  gather_limits();
  if (idle_deaths_ > std::max(8U, 4 * table_->workers)) {
    const unsigned deaths = std::exchange(idle_deaths_, 0);
    if (const std::string trouble = crew_.take_trouble(); !trouble.empty()) {
      throw start_failed("the pool gave up: " + std::to_string(deaths) +
                         " workers in a row ended before they began a slice, because " + trouble +
                         "; every worker has to get through its start");
    }
    throw start_failed(
        "the pool gave up: " + std::to_string(deaths) +
        " workers in a row ended before they began a slice; something outside kills them (the out-of-memory killer, a "
        "limit, a signal): look at dmesg and `ulimit -a`, or use fewer workers");
  }
  if (!board_.closed) fill_for(now);
}

// Gives what a dead worker held back to its call; a death that no call lost anything by counts for the call that saw
// it. True if it held a slice that it had begun.
bool coordinator::worker_died(unsigned worker, unsigned incarnation, const death& end, call* seen_by) {
  for (std::uint64_t sequence = board_.tail(); sequence != board_.head(); ++sequence) {
    const parent_board::record& mine = board_.at(sequence);
    if (mine.owner == nullptr) continue;
    const chunk_word word = board_.word(sequence);
    if (word.state() != chunk_state::running || word.worker() != worker || word.incarnation() != incarnation) continue;
    mine.of->counted.add_death(worker);
    call_ports::notify(*mine.of);
    return mine.of->worker_died(*mine.what, worker, end);
  }
  if (seen_by != nullptr) seen_by->counted.add_death(worker);
  return false;
}

void coordinator::gather_limits() noexcept {
  for (unsigned worker = 0; worker < table_->workers; ++worker) {
    const worker_slot& slot = table_->slots[worker];
    // acquire: pairs with the release that made the slice count.
    const std::uint64_t id = slot.failed_job.load(std::memory_order_acquire);
    if (id == 0) continue;
    for (std::uint64_t sequence = board_.tail(); sequence != board_.head(); ++sequence) {
      const parent_board::record& mine = board_.at(sequence);
      if (mine.owner == nullptr || mine.of->id() != id) continue;
      mine.of->limit_workers(slot.failed_slice.load(std::memory_order_relaxed));
      break;
    }
  }
}

// ---- Ending -------------------------------------------------------------------------------------------------------------

bool coordinator::cancel(call& now, bool kill) {
  lock_type lock(mutex_);
  bool done = now.withdraw();
  if (!done && kill) {
    const unsigned worker = now.ask_to_kill();
    if (worker != max_workers) {
      breakpoint(point::kill_before);
      crew_.kill(worker);
      done = true;
    }
  }
  now.news.notify_one();
  call_ports::notify(now);
  if (led_) crew_.ring();  // the thread that leads may be the one that waits for it
  destroy_retired(lock);
  return done;
}

bool coordinator::begun(call& now) {
  const std::lock_guard lock(mutex_);
  return now.begun();
}

void coordinator::drop(std::shared_ptr<call> now, bool ended) {
  lock_type lock(mutex_);
  call_ports::forget(*now);
  took_.saw(now->likeness, now->ran_ns, now->ran_slices);
  if (!ended) {
    now->stop_input();
    note_end_of_input(*now);
  }
  board_.retire(std::move(now));
  destroy_retired(lock);
}

void coordinator::note_end_of_input(call& now) noexcept {
  if (!now.open || now.more_input()) return;
  now.open = false;
  --open_;
}

void coordinator::fill_for(call* now) {
  const std::uint64_t began = crew_.fill();
  if (began == 0 || now == nullptr) return;
  now->workers_started();
  const stopwatch::phase before = now->counted.watch.now();
  now->counted.watch.enter(stopwatch::phase::start, began);
  now->counted.watch.enter(before, now_ns());
}

void coordinator::describe(call& of) {
  const lock_type lock(mutex_);
  report& happened = of.counted.happened;
  happened.threads_at_fork = crew_.threads_at_fork();
  happened.warnings = crew_.warnings();
  if (!crew_.missing().empty()) happened.warnings.push_back(crew_.missing());
  happened.beside_others = of.beside_others || of.id() != calls_;
}

void coordinator::look_at_copies(report& happened) {
  const lock_type lock(mutex_);
  const std::size_t rows = std::min<std::size_t>(table_->workers, happened.per_worker.size());
  copied_.resize(table_->workers);
  // What was copied was a page fault each: a few are not worth looking for, but in a new worker.
  const auto worth = [&](unsigned worker) {
    const copies& before = copied_[worker];
    return crew_.running(worker) && (before.faults >= few_faults || before.of != crew_.pid(worker));
  };
  bool any = false;
  for (unsigned worker = 0; worker < rows; ++worker) {
    copied_[worker].faults += happened.per_worker[worker].page_faults;
    any = any || worth(worker);
  }
  const std::uint64_t began = now_ns();
  // A hundred calls that were under way together are not looked at a hundred times.
  if (!any || began - std::max(static_cast<std::uint64_t>(happened.began.count()), seen_ns_) < 10 * looking_ns_) return;
  for (unsigned worker = 0; worker < rows; ++worker) {
    if (!worth(worker)) continue;
    copies& before = copied_[worker];
    const copies now{crew_.pid(worker), private_copies(crew_.pid(worker))};
    const std::size_t known = before.of == now.of ? before.bytes : 0;
    const std::size_t more = now.bytes - std::min(now.bytes, known);
    happened.per_worker[worker].bytes_copied_on_write += more;
    happened.bytes_copied_on_write += more;
    before = now;
  }
  seen_ns_ = now_ns();
  looking_ns_ = seen_ns_ - began;
}

bool coordinator::rest(std::vector<std::shared_ptr<retirable>>* unowned) {
  lock_type lock(mutex_);
  take_back_finished();
  const bool idle = open_ == 0 && board_.tail() == board_.head();
  if (idle) crew_.shut_down();
  while (unowned != nullptr && board_.retired != nullptr) {
    unowned->push_back(std::move(board_.retired));
    board_.retired = std::move(unowned->back()->next_retired);
  }
  destroy_retired(lock);
  return idle;
}

bool coordinator::ends_by_itself() {
  const std::lock_guard lock(mutex_);
  return open_ == 0;
}

void coordinator::empty_board(lock_type& lock, std::uint64_t until) {
  for (take_back_finished(); board_.tail() != board_.head(); take_back_finished()) {
    if (until != for_ever && now_ns() >= until) return;
    wait(nullptr, lock, until);
  }
}

void coordinator::drain() {
  lock_type lock(mutex_);
  empty_board_or_collapse(lock);
  destroy_retired(lock);
}

void coordinator::finish() {
  lock_type lock(mutex_);
  empty_board_or_collapse(lock);
  board_.closed = true;
  crew_.begin_to_end_template();
  crew_.shut_down();
  crew_.end_template();
  notify_all();
  destroy_retired(lock);
}

// Every thread that waits for a call looks again.
void coordinator::notify_all() noexcept {
  for (call* one : followers_) one->news.notify_one();
  ports_.notify_all();
}

bool coordinator::started(std::uint64_t until) {
  constexpr std::uint64_t step_ns = 1'000'000;  // a worker does not say when it is through
  lock_type lock(mutex_);
  try {
    while (!board_.closed && !crew_.any_through_start()) {
      const std::uint64_t now = now_ns();
      if (now >= until) return false;
      wait(nullptr, lock, std::min(until, now + step_ns));
    }
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    give_up_all(std::current_exception());
    destroy_retired(lock);
    throw;
  }
  return true;
}

bool coordinator::leave(std::uint64_t until) {
  constexpr std::uint64_t step_ns = 10'000'000;
  lock_type lock(mutex_);
  empty_board_or_collapse(lock, until);
  bool left = false;
  if (board_.tail() == board_.head()) {
    board_.closed = true;
    notify_all();
    for (;;) {
      left = crew_.leave(std::min(until, now_ns() + step_ns));
      if (left || (until != for_ever && now_ns() >= until)) break;
      unled_.wait_for(lock, std::chrono::milliseconds(1));  // terminate() may want the mutex
    }
  }
  if (left) crew_.end_template();
  destroy_retired(lock);
  return left;
}

void coordinator::empty_board_or_collapse(lock_type& lock, std::uint64_t until) {
  try {
    empty_board(lock, until);
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    give_up_all(std::current_exception());
  }
}

// Nothing on the board will ever be done: stops every call that has something there.
void coordinator::give_up_all(const std::exception_ptr& reason) noexcept {
  crew_.end_now();
  for (std::uint64_t sequence = board_.tail(); sequence != board_.head(); ++sequence) {
    parent_board::record& mine = board_.at(sequence);
    if (mine.owner == nullptr) continue;
    mine.of->stop(reason);
    mine.of->news.notify_one();
    std::shared_ptr<retirable> owner = mine.owner;
    mine.of->abandon(*mine.what);
    board_.retire(std::move(owner));
  }
  table_->next.store(board_.head(), std::memory_order_relaxed);
  table_->parent_asleep.store(0, std::memory_order_relaxed);
  ports_.notify_all();
}

void coordinator::terminate() {
  lock_type lock(mutex_);
  board_.closed = true;
  std::exception_ptr reason;
  try {
    reason = std::make_exception_ptr(
        cancelled("the pool was terminated before this was done: call restart(), and call again for what is missing"));
  } catch (const std::bad_alloc&) {
    reason = std::current_exception();  // the workers must end all the same, also from the destructor
  }
  crew_.begin_to_end_template();
  crew_.end_now();
  try {
    // What is done is done.
    for (std::uint64_t at = board_.tail(); at != board_.head(); ++at) {
      const parent_board::record& mine = board_.at(at);
      if (mine.owner != nullptr && board_.done(at)) take_back(at);
    }
  } catch (const std::bad_alloc&) {
    // No memory to take over what failed: given up with the rest.
  }
  give_up_all(reason);
  crew_.end_template();
  notify_all();
  crew_.ring();
  destroy_retired(lock);
}

void coordinator::wake() noexcept {
  const cancellation_deferred whole;
  const std::lock_guard lock(mutex_);
  crew_.ring();
  notify_all();
}

// Retired calls may have user's objects to destroy.
void coordinator::destroy_retired(lock_type& lock) noexcept {
  std::shared_ptr<retirable> gone = std::move(board_.retired);
  lock.unlock();
  while (gone != nullptr) gone = std::move(gone->next_retired);
}

}  // namespace forkful::detail
