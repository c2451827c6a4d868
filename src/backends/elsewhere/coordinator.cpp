#include "backends/elsewhere/coordinator.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "board/pace.hpp"
#include "os/breakpoint.hpp"
#include "os/cancellation.hpp"
#include "os/cpu.hpp"
#include "os/identity.hpp"

namespace forkful::detail {

namespace {

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
  copies_.look(crew_, happened);
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
