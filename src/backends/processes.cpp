// The back ends whose workers are processes: the process pool keeps its workers, the snapshot pool forks new ones for each
// call, so that they see the caller's memory as it is at that moment. Everything else is the same board.
//
// Owns the board and the crew. One call at a time: the mutex is held for the length of a call.
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "backends/call.hpp"
#include "crew/lateness.hpp"
#include "os/cpu.hpp"
#include "os/identity.hpp"
#include "worker/place.hpp"

namespace forkful::detail {

namespace {

// How long the parent spins in a call, all in all. Longer than waking a worker takes, so that a short call whose workers
// slept ends before the parent sleeps too; little enough not to take their core from the workers of a long one.
constexpr std::uint64_t spin_ns = 250'000;
constexpr std::uint64_t unclaimed_ns = 20'000;  // work that nobody claimed for so long wakes a sleeper
constexpr std::uint64_t polite_ns = 5'000;      // after this, spinning makes room for a worker on the same core
constexpr std::int64_t watch_ns = 100'000'000;  // how long the parent sleeps at most while a call runs

enum class workers_live { from_call_to_call, for_one_call };

// A board in shared memory, with its workers' slots behind it.
class board_memory {
 public:
  board_memory(arena& memory, unsigned workers) : arena_(memory) {
    table_ = new (arena_.allocate(sizeof(board), alignof(board))) board{};
    try {
      table_->slots = static_cast<worker_slot*>(arena_.allocate(sizeof(worker_slot) * workers, alignof(worker_slot)));
    } catch (...) {
      arena_.deallocate(table_);
      throw;
    }
    std::uninitialized_value_construct_n(table_->slots, workers);
    table_->workers = workers;
    table_->max_spinners = usable_cpus() - 1;
  }
  board_memory(const board_memory&) = delete;
  board_memory& operator=(const board_memory&) = delete;
  // In a process that did not make the arena both do nothing.
  ~board_memory() {
    for (unsigned worker = 0; worker < table_->workers; ++worker) arena_.deallocate(table_->slots[worker].undo.load());
    arena_.deallocate(table_->slots);
    arena_.deallocate(table_);
  }
  board& operator*() noexcept { return *table_; }
  board* operator->() noexcept { return table_; }

 private:
  arena& arena_;
  board* table_ = nullptr;
};

unsigned checked_workers(const pool_options& options) {
  // Pools of workers share what their pool may use.
  const unsigned wanted = options.workers != 0 ? options.workers : std::max(1U, usable_cpus() / sharers());
  if (wanted > max_workers) {
    throw std::invalid_argument("forkful: a pool has at most " + std::to_string(max_workers) + " workers, " +
                                std::to_string(wanted) + " were asked for: use fewer");
  }
  return wanted;
}

worker_settings settings_of(const pool_options& options) {
  return {options.on_worker_start,     options.on_worker_exit, options.max_slices_per_worker,
          options.worker_memory_limit, options.inner_threads,  options.pin};
}

class process_engine : public engine {
 public:
  process_engine(const pool_options& options, workers_live life)
      : life_(life),
        workers_(checked_workers(options)),
        arena_(arena::own()),
        table_(arena_, workers_),
        crew_(*table_, arena_, life == workers_live::for_one_call ? start_method::fork : options.start,
              settings_of(options)),
        late_(workers_),
        made_by_(this_process()) {
    if (life_ == workers_live::from_call_to_call) crew_.fill();
  }

  // A pool that was inherited by fork is not this process's to end; the members see to that themselves.
  ~process_engine() override = default;

  [[nodiscard]] unsigned size() const noexcept override { return workers_; }

  void run(job& work, const call_options& options, report& happened) override {
    happened.way = life_ == workers_live::for_one_call ? "snapshot" : "process";
    if (this_process() != made_by_) {
      throw wrong_process(
          "this pool was made by another process and inherited by fork: its workers are that process's; make a pool of "
          "your "
          "own here");
    }
    check(work, options);
    const std::lock_guard lock(mutex_);
    if (work.slices == 0) return;
    call now(work, options, *table_, arena_, crew_, records_, ++calls_, generation_, happened);
    try {
      // Loaded with dlopen since the workers were started: they would jump into nowhere.
      if (life_ == workers_live::from_call_to_call &&
          !(crew_.knows(reinterpret_cast<const void*>(work.run)) && crew_.knows(work.code)))
        crew_.renew();
      crew_.fill();
      last_wake_ = spun_ = 0;
      drive(now);
    } catch (...) {
      // Without workers nothing on the board will ever be settled.
      crew_.dismiss();
      now.abandon();
      throw;
    }
    if (life_ == workers_live::for_one_call) crew_.dismiss();
    now.conclude();
  }

 private:
  static void check(const job& work, const call_options& options) {
    if (options.attempts == 0 || options.attempts > max_attempts) {
      throw std::invalid_argument("forkful: call_options::attempts is 1 to 255");
    }
    if (options.timeout.count() < 0) {
      throw std::invalid_argument("forkful: call_options::timeout is a length of time, or 0 for none");
    }
    if (options.attempts > 1 && work.mutates && work.locate == nullptr) {
      throw std::invalid_argument(
          "forkful: attempts > 1 in place needs bitwise elements: a crash may leave others half eaten, and only "
          "bitwise ones "
          "can be put back; use attempts = 1, or map the slices to results");
    }
  }

  void drive(call& now) {
    while (!now.finished()) {
      bool moved = false;
      try {
        moved = now.feed();
      } catch (...) {
        now.stop(std::current_exception());
      }
      if (moved) invite();
      if (now.settle()) {
        moved = true;
        idle_deaths_ = 0;
      }
      if (!moved && !now.finished()) wait(now);
    }
  }

  // Lazy waking: when everybody sleeps one is woken at once, and another each time that work has lain unclaimed for a while.
  // Short calls are eaten by whoever is awake, because waking costs more than they do.
  void invite() noexcept {
    if (somebody_awake(*table_) && ++unlooked_ % 8 != 0) return;
    const std::uint64_t now = now_ns();
    if (last_wake_ == 0 && somebody_awake(*table_)) last_wake_ = now;
    if (now - last_wake_ < unclaimed_ns || probably_unclaimed(*table_) == 0) return;
    last_wake_ = now;
    wake_one(*table_);
  }

  // Spins first: results of short slices arrive sooner than a sleeper wakes.
  void wait(call& now) {
    if (spun_ < spin_ns && table_->max_spinners != 0) {
      const std::uint64_t began = now_ns();
      std::uint64_t waited = 0;
      for (; waited < spin_ns - spun_; waited = now_ns() - began) {
        for (int i = 0; i < 32; ++i) {
          if (now.ready()) {
            spun_ += waited;
            return;
          }
          relax();
        }
        if (waited > polite_ns) let_others_run();
        if (waited > unclaimed_ns) invite();
      }
      spun_ += waited;
    }
    now.gather_limits();
    const bool unclaimed = probably_unclaimed(*table_) != 0;
    // Regardless of who seems to be looking: a spinner may have been stopped.
    if (unclaimed) wake_sleeper(*table_);
    table_->wanted.store(now.wanted(), std::memory_order_relaxed);
    table_->parent_asleep.store(1, std::memory_order_relaxed);
    // Pairs with the fence in finish_chunk: a worker that marks its chunk done after this look sees that we sleep.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!now.ready()) look_after_crew(now, unclaimed ? watch_ns / 100 : watch_ns);
    table_->parent_asleep.store(0, std::memory_order_relaxed);
    now.gather_limits();
  }

  // Waits, and buries and replaces whoever has ended meanwhile.
  void look_after_crew(call& now, std::int64_t nanoseconds) {
    const std::vector<unsigned> ended = crew_.wait(nanoseconds);
    late_.look(*table_, crew_);
    if (ended.empty()) return;
    for (const unsigned worker : ended) {
      const unsigned incarnation = crew_.incarnation(worker);
      const death end = crew_.bury(worker);
      if (end.left) continue;
      if (now.lost(worker, incarnation, end)) {
        idle_deaths_ = 0;
      } else {
        ++idle_deaths_;
      }
    }
    if (idle_deaths_ > std::max(8U, 4 * workers_)) {
      const unsigned deaths = std::exchange(idle_deaths_, 0);
      if (const std::string trouble = crew_.take_trouble(); !trouble.empty()) {
        throw start_failed("the pool gave up: " + std::to_string(deaths) +
                           " workers in a row ended before they began a slice, because " + trouble +
                           "; every worker has to get through its start");
      }
      throw start_failed(
          "the pool gave up: " + std::to_string(deaths) +
          " workers in a row ended before they began a slice; something outside kills them (the out-of-memory "
          "killer, a limit, a signal): look at dmesg and `ulimit -a`, or use fewer workers");
    }
    crew_.fill();
  }

  workers_live life_;
  unsigned workers_;
  arena& arena_;
  board_memory table_;
  crew crew_;
  lateness late_;
  std::uint64_t made_by_;
  std::mutex mutex_;
  std::uint64_t calls_ = 0;
  std::uint32_t generation_ = 0;
  std::vector<call::record> records_;  // kept from call to call: making them costs more than a short call
  unsigned idle_deaths_ = 0;
  std::uint64_t last_wake_ = 0;  // when a worker was last woken in this call; 0: not yet
  std::uint64_t spun_ = 0;       // how long the parent has spun in this call
  unsigned unlooked_ = 0;
};

}  // namespace

std::unique_ptr<engine> start_processes(const pool_options& options) {
  return std::make_unique<process_engine>(options, workers_live::from_call_to_call);
}

std::unique_ptr<engine> start_snapshot(const pool_options& options) {
  return std::make_unique<process_engine>(options, workers_live::for_one_call);
}

}  // namespace forkful::detail
