#include "crew/crew.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <forkful/errors.hpp>
#include <memory>
#include <string_view>
#include <utility>

#include "crew/host_fork.hpp"
#include "errors/refused.hpp"
#include "format/fmt.hpp"
#include "os/cpu.hpp"
#include "os/futex.hpp"
#include "os/identity.hpp"
#include "os/process.hpp"
#include "os/streams.hpp"
#include "os/thread_count.hpp"
#include "worker/crash.hpp"
#include "worker/inner_threads.hpp"
#include "worker/loop.hpp"

namespace forkful::detail {

namespace {

constexpr std::uint64_t exit_limit_ns = 10'000'000'000;

std::vector<cpu_set_t> cores_to_pin() {
  try {
    return usable_cores();
  } catch (const refused_call& refused) {
    throw start_failed(
        fmt::format("pool_options::pin could not be carried out: {} failed: {}; leave it off, or look at what `lstopo` "
                    "says about this machine",
                    refused.call(), std::strerror(refused.error())));
  }
}

std::unique_ptr<waiter> make_waiter() {
  return or_start_failed([] { return std::make_unique<waiter>(); });
}

}  // namespace

crew::crew(board& table, arena& memory, start_method start, const worker_settings& settings)
    : table_(table),
      arena_(memory),
      settings_(settings),
      members_(table.workers),
      waiter_(make_waiter()),
      made_by_(this_process()),
      zygote_(start == start_method::zygote) {
  if (zygote_) {
    if (!take_programs_template()) make_own_template();
  } else if (start != start_method::fork) {
    template_ = worker_template::here();
  }
  if (start == start_method::forkserver && template_ == nullptr) {
    throw start_failed(
        "start_method::forkserver needs forkful::init(argc, argv) as the first line of main, in this very process: "
        "call it there, or leave pool_options::start at automatic");
  }
  if (template_ != nullptr) {
    if (const std::string remark = template_->remark(); !remark.empty()) warn(remark);
  }
  if (settings_.pinned) cores_ = cores_to_pin();
  unsigned taken = 0;
  try {
    for (; taken < members_.size(); ++taken) members_[taken].heap_slot = arena_.acquire_slot();
    records_ =
        static_cast<worker_record*>(arena_.allocate(sizeof(worker_record) * members_.size(), alignof(worker_record)));
  } catch (...) {
    for (unsigned i = 0; i < taken; ++i) arena_.release_slot(members_[i].heap_slot);
    throw;
  }
  std::uninitialized_value_construct_n(records_, members_.size());
  ended_.reserve(members_.size());
  prepare_for_crashes();
}

crew::~crew() {
  if (this_process() != made_by_) return;
  shut_down();
  arena_.deallocate(records_);
  for (const member& one : members_) arena_.release_slot(one.heap_slot);
}

unsigned crew::running_count() const noexcept {
  unsigned count = 0;
  for (const member& one : members_) count += one.process.valid() ? 1 : 0;
  return count;
}

bool crew::any_through_start() const noexcept {
  for (std::size_t worker = 0; worker < members_.size(); ++worker) {
    if (members_[worker].process.valid() &&
        records_[worker].stage.load(std::memory_order_relaxed) != worker_stage::starting)
      return true;
  }
  return false;
}

std::uint64_t crew::fill() {
  std::uint64_t began = 0;
  missing_.clear();
  if (running_count() == 0) {
    if (descriptors_lost_) waiter_ = make_waiter();
    descriptors_lost_ = false;
    take_stock();
  }
  const bool recycles = settings_.max_slices != 0 || settings_.max_chunks != 0 || settings_.memory != 0;
  for (unsigned worker = 0; worker < members_.size(); ++worker) {
    // Those that left after their last chunk are replaced before a call waits for them.
    if (recycles && members_[worker].process.valid() && members_[worker].process.ended(0) &&
        records_[worker].stage.load(std::memory_order_relaxed) == worker_stage::leaving) {
      reap(worker);
    }
    if (members_[worker].process.valid()) continue;
    if (began == 0) began = now_ns();
    try {
      start(worker);
    } catch (const refused_call& refused) {
      // Fewer workers do the same work, and the next call tries again; none at all is an error.
      if (running_count() == 0) throw_start_failed(refused);
      missing_ = fmt::format("{} of {} workers could not be started: {}; meanwhile the others do their work",
                             members_.size() - running_count(), members_.size(), message_of(refused));
      break;
    }
  }
  return began;
}

void crew::renew() {
  shut_down();
  if (template_ != own_template_.get()) leave_template();
  if (zygote_) make_own_template();
  fill();
}

bool crew::take_programs_template() {
  worker_template* const made = worker_template::here();
  if (made == nullptr || settings_.around == nullptr || settings_.around->in_template == nullptr) return false;
  if (made->lives()) {
    template_ = made;
    return true;
  }
  warn(
      "workers come from a new copy of the caller, which takes longer the larger it is and is unsafe while other "
      "threads run: " +
      made->trouble());
  return false;
}

void crew::make_own_template() {
  own_template_.reset();
  note_threads_at_fork();
  settings_.alone = threads_at_fork_ == 1;
  if (settings_.inner_threads != 0) find_inner_threads();
  own_template_ = worker_template::of_pool(settings_.around);
  template_ = own_template_.get();
}

void crew::note_threads_at_fork() {
  threads_at_fork_ = thread_count();
  if (threads_at_fork_ <= 1) return;
  warn(fmt::format(
      "{} other {} when workers were forked: locks held there stay locked in the workers for ever (OpenMP hangs); call "
      "forkful::init first, or make pools before starting threads",
      threads_at_fork_ - 1, threads_at_fork_ == 2 ? "thread ran" : "threads ran"));
}

// What code the workers will have that are about to be started.
void crew::take_stock() {
  if (template_ != nullptr) {
    code_ = template_->code();
    for (void (*const hook)() : {settings_.on_start, settings_.on_exit}) {
      if (template_ != nullptr && !knows(reinterpret_cast<const void*>(hook))) leave_template();
    }
  }
  if (template_ == nullptr) code_ = modules::loaded();
}

void crew::leave_template() {
  template_ = nullptr;
  warn(
      "a callable lies in code that was loaded after forkful::init: this pool's workers are forked from the caller "
      "instead, which is slower the larger it is and unsafe while other threads run");
}

void crew::start(unsigned worker) {
  member& one = members_[worker];
  worker_slot& slot = table_.slots[worker];
  // The slot's last writer has ended: its words are the parent's to reset.
  slot.cursor.store(0, std::memory_order_relaxed);
  slot.began.store(0, std::memory_order_relaxed);
  slot.ended.store(0, std::memory_order_relaxed);
  slot.deadline.store(0, std::memory_order_relaxed);
  slot.share.store(0, std::memory_order_relaxed);
  slot.kill_asked.store(0, std::memory_order_relaxed);
  slot.watched.store(0, std::memory_order_relaxed);
  slot.ready.store(0, std::memory_order_relaxed);
  one.incarnation = (one.incarnation + 1) & 0x3ff;
  one.late = false;
  std::construct_at(&records_[worker]);
  one.line = lifeline::make();

  worker_start begin{
      &table_,           &arena_,           one.heap_slot, worker, one.incarnation, one.line.worker_end(),
      waiter_->ringer(), &records_[worker], settings_};
  if (settings_.pinned) begin.cpus = cores_[worker % cores_.size()];
  const pid_t pid = make_process(begin);
  const int error = errno;
  one.line.forget_worker_end();
  if (pid < 0) {
    one.line = lifeline();
    throw refused_call("fork", error);
  }
  one.process = child(pid);
  if (!one.process.valid()) {
    // Nothing would say when it ends. Cutting the lifeline kills it; then its status can be taken.
    const int reason = errno;
    one.line = lifeline();
    reap_unwatched(pid);
    throw refused_call("pidfd_open", reason);
  }
  try {
    waiter_->watch(one.process, worker);
  } catch (...) {
    reap(worker);
    throw;
  }
  // relaxed: it publishes nothing but itself. The worker has rarely come so far that it sleeps.
  slot.watched.store(1, std::memory_order_relaxed);
  futex_wake(slot.watched, 1);
}

pid_t crew::make_process(const worker_start& begin) {
  flush_output();  // before the template's workers too, so that what they print comes after it
  if (template_ != nullptr) {
    worker_start asked = begin;
    const host* const around = settings_.around;
    if (template_ != own_template_.get() && around != nullptr && around->in_template != nullptr)
      asked.settings.around = around->in_template;
    const pid_t pid = template_->start(asked);
    if (pid > 0) return pid;
    warn("workers are forked from the caller, which is slower the larger it is and unsafe while other threads run: " +
         template_->trouble());
  }
  note_threads_at_fork();
  worker_start forked = begin;
  forked.settings.alone = threads_at_fork_ == 1;  // where it is not known, a lock may be held for ever
  if (forked.settings.inner_threads != 0) find_inner_threads();
  return fork_within(settings_.around, [&] { return fork_flushed(); }, [&] { run_worker(forked); });
}

void crew::warn(const std::string& sentence) {
  if (std::find(warnings_.begin(), warnings_.end(), sentence) == warnings_.end()) warnings_.push_back(sentence);
}

waited crew::wait(std::int64_t nanoseconds) {
  ended_.clear();
  return waiter_->wait(nanoseconds, ended_);
}

void crew::check(waited came) {
  if (came == waited::happened) return;
  const bool lost = came == waited::lost || !waiter_->intact() ||
                    std::any_of(members_.begin(), members_.end(), [](const member& one) { return one.process.lost(); });
  if (!lost) return;
  descriptors_lost_ = true;
  throw start_failed(
      "the pool lost its workers: the program has closed descriptors that are forkful's (a loop over all numbers, "
      "closefrom, close_range), so the end of a worker could not be noticed any more; close only what you have opened, "
      "or make pools after such code. All workers were ended, and the next call starts new ones");
}

const std::vector<unsigned>& crew::ended() {
  // Should a worker have stayed behind in the epoll, its number is perhaps another's by now, and reported twice.
  std::sort(ended_.begin(), ended_.end());
  ended_.erase(std::unique(ended_.begin(), ended_.end()), ended_.end());
  std::erase_if(ended_, [&](unsigned worker) {
    const child& process = members_[worker].process;
    return !process.valid() || !process.ended(0);
  });
  return ended_;
}

void crew::end_late(unsigned worker, unsigned incarnation) noexcept {
  member& one = members_[worker];
  if (!one.process.valid() || one.incarnation != incarnation) return;
  one.late = true;
  kill(one);
}

// A worker that was started with privileges which this process has dropped since cannot be sent a signal. Its lifeline it has armed
// itself: cutting that is always allowed.
void crew::kill(member& one) noexcept {
  if (!one.process.kill()) one.line = lifeline();
}

death crew::reap(unsigned worker) {
  member& one = members_[worker];
  // Removed by hand: a child may hold a copy of the descriptor, and then closing ours would leave it in the epoll.
  waiter_->forget(one.process);
  one.process.kill();
  one.line = lifeline();  // kills too, where the signal is refused: waiting would never end
  static_cast<void>(one.process.ended(-1));
  death end;
  static_cast<ending&>(end) = one.process.reap().value_or(ending{});
  try {
    end.read(records_[worker]);
  } catch (const std::bad_alloc&) {
    // No memory to say where it crashed; the rest is known.
  }
  // Its own timer, or lateness. A SIGKILL from elsewhere comes before the deadline, or is as good as the timer's. A
  // worker that crashed was in time, even if it was killed then.
  const std::uint64_t deadline = table_.slots[worker].deadline.load(std::memory_order_relaxed);
  const bool killed = end.signal == SIGKILL ||
                      (settings_.around != nullptr && end.signal != 0 && end.signal == settings_.around->late_signal);
  end.late = killed && (one.late || (deadline != 0 && now_ns() >= deadline));
  if (end.late) end.ended_ns = deadline;
  const bool starting = records_[worker].stage.load(std::memory_order_relaxed) == worker_stage::starting;
  if (!end.said.empty() || (starting && starts_with_others_code())) {
    try {
      failed_start_ = end;
    } catch (const std::bad_alloc&) {
      failed_start_.reset();
    }
  }
  one.process.reset();
  arena_.bury(one.heap_slot, [&](const segment* piece) {
    for (std::uint64_t at = table_.reclaimed.load(); at < table_.published.load(); ++at) {
      const shared_job* const job = table_.entry(at).job;
      if (job != nullptr && job->results && table_.frames(at).out.next == piece) return true;
    }
    return false;
  });
  // Now, not when it is replaced, which may never be possible: a failure that was not handed in counts no more, and a
  // worker that spins no more is not to be waited for. The cursor says what was lost, and is read first.
  table_.slots[worker].failed_job.store(0, std::memory_order_relaxed);
  table_.slots[worker].state.store(worker_state::running, std::memory_order_relaxed);
  return end;
}

bool crew::starts_with_others_code() const noexcept {
  return settings_.on_start != nullptr || (settings_.around != nullptr && settings_.around->worker_starts != nullptr);
}

std::uint64_t crew::largest_chunk() const noexcept {
  return settings_.max_slices == 0 ? ~std::uint64_t{0} : settings_.max_slices;
}

std::string crew::take_trouble() {
  const std::optional<death> failed = std::exchange(failed_start_, std::nullopt);
  return failed ? failed->trouble(settings_.on_start != nullptr ? "on_worker_start" : "its start") : "";
}

void crew::shut_down() noexcept {
  const bool leaves = settings_.around != nullptr && settings_.around->worker_leaves != nullptr;
  if (settings_.on_exit != nullptr || leaves) leave(now_ns() + exit_limit_ns);
  end_now();
}

bool crew::leave(std::uint64_t until) noexcept {
  // seq_cst on the epoch: a worker that sees the new one sees the board closing; one that saw the old one does not fall
  // asleep on it.
  table_.closing.store(1, std::memory_order_release);
  table_.epoch.fetch_add(1, std::memory_order_seq_cst);
  futex_wake(table_.epoch, max_workers);
  bool left = true;
  for (const member& one : members_) {
    constexpr std::uint64_t longest_ms = 1'000'000'000;
    const std::uint64_t now = std::min(now_ns(), until);
    if (one.process.valid()) {
      left = one.process.ended(static_cast<int>(std::min((until - now) / 1'000'000, longest_ms))) && left;
    }
  }
  if (left) end_now();
  return left;
}

void crew::begin_to_end_template() noexcept {
  if (own_template_ != nullptr) own_template_->kill();
}

void crew::end_template() noexcept {
  if (own_template_ == nullptr) return;
  own_template_.reset();
  template_ = nullptr;
}

void crew::end_now() noexcept {
  for (member& one : members_) {
    if (one.process.valid()) kill(one);
  }
  for (unsigned worker = 0; worker < members_.size(); ++worker) {
    if (members_[worker].process.valid()) reap(worker);
  }
  // Not before all have ended: one that has not left is not to begin anything new when the board opens again.
  table_.closing.store(0, std::memory_order_relaxed);
}

}  // namespace forkful::detail
