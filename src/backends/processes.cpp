// The back ends whose workers are processes: the process pool keeps its workers in one session, the snapshot pool forks new
// ones for each call, so that they see the caller's memory as it is at that moment. Everything else is the same board.
#include <algorithm>
#include <atomic>
#include <forkful/detail/job.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "backends/session.hpp"
#include "os/identity.hpp"

namespace forkful::detail {

namespace {

unsigned checked_workers(unsigned asked) {
  const unsigned wanted = asked != 0 ? asked : cpus_to_use();
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

void check_process(std::uint64_t made_by) {
  if (this_process() == made_by) return;
  throw wrong_process(
      "this pool was made by another process and inherited by fork: its workers are that process's; make a pool of "
      "your own "
      "here");
}

void check(const job& work, const call_options& options) {
  if (options.attempts == 0 || options.attempts > max_attempts) {
    throw std::invalid_argument("forkful: call_options::attempts is 1 to 255");
  }
  if (options.timeout.count() < 0) {
    throw std::invalid_argument("forkful: call_options::timeout is a length of time, or 0 for none");
  }
  if (options.attempts > 1 && work.mutates && work.locate == nullptr) {
    throw std::invalid_argument(
        "forkful: attempts > 1 in place needs bitwise elements: a crash may leave others half eaten, and only bitwise "
        "ones "
        "can be put back; use attempts = 1, or map the slices to results");
  }
  if (options.stop.stop_requested()) {
    throw cancelled("the call was stopped before it began: its stop_token had been asked to stop already");
  }
}

// For what a forked child inherited and must not destroy.
void keep_for_good(std::shared_ptr<void> object) {
  static auto& kept = *new std::vector<std::shared_ptr<void>>;  // never destroyed
  kept.push_back(std::move(object));
}

// A call on a session, in the hands of whoever made it. `one_time`: the session's workers end with it.
class call_on_session final : public ongoing {
 public:
  call_on_session(std::shared_ptr<session> where, job& work, const call_options& options, std::shared_ptr<void> owner,
                  bool one_time)
      : session_(std::move(where)), one_time_(one_time), made_by_(this_process()) {
    call_ = session_->begin(work, options, std::move(owner));
    if (options.stop.stop_possible()) waker_.emplace(options.stop, waker{session_});
  }
  ~call_on_session() override {
    // Inherited by fork: neither call nor session are this process's, and somebody may hold their locks for ever.
    if (this_process() != made_by_) {
      keep_for_good(std::move(call_));
      keep_for_good(std::move(session_));
      return;
    }
    waker_.reset();
    if (call_ != nullptr) session_->drop(std::move(call_), ended_);
    if (one_time_) session_->rest();
  }

  bool advance(const patience& how_long) override {
    check_process(made_by_);
    if (ended_) return true;
    ended_ = session_->advance(call_, how_long);
    if (ended_ && one_time_) session_->rest();
    return ended_;
  }
  bool cancel(bool kill) override {
    check_process(made_by_);
    return session_->cancel(*call_, kill);
  }
  void conclude() override {
    const report& counted = call_->happened;
    happened.chunks = counted.chunks;
    happened.bytes_in += counted.bytes_in;
    happened.bytes_out = counted.bytes_out;
    happened.deaths = counted.deaths;
    happened.retries = counted.retries;
    session_->describe(happened);
    call_->conclude();
  }

 private:
  struct waker {
    std::shared_ptr<session> where;
    void operator()() const noexcept { where->wake(); }
  };

  std::shared_ptr<session> session_;
  std::shared_ptr<call> call_;
  std::optional<std::stop_callback<waker>> waker_;
  bool one_time_;
  bool ended_ = false;
  std::uint64_t made_by_;
};

// Lets what was submitted finish, but not while an exception unwinds: then nobody will look at it.
void end(session& one) {
  if (std::uncaught_exceptions() == 0) {
    one.finish();
  } else {
    one.terminate();
  }
}

class process_engine final : public engine {
 public:
  explicit process_engine(const pool_options& options)
      : options_(options),
        session_(std::make_shared<session>(checked_workers(options.workers), options.start, settings_of(options))),
        made_by_(this_process()) {
    session_->fill();
  }
  ~process_engine() override {
    if (this_process() != made_by_) {
      keep_for_good(std::move(session_));
    } else {
      end(*session_);
    }
  }

  [[nodiscard]] unsigned size() const noexcept override { return now()->workers(); }

  std::unique_ptr<ongoing> begin(job& work, const call_options& options, std::shared_ptr<void> owner) override {
    check_process(made_by_);
    check(work, options);
    auto made = std::make_unique<call_on_session>(now(), work, options, std::move(owner), false);
    made->happened.way = "process";
    return made;
  }

  void terminate() override {
    check_process(made_by_);
    now()->terminate();
  }

  void restart(unsigned workers) override {
    check_process(made_by_);
    const unsigned wanted = workers != 0 ? checked_workers(workers) : size();
    // The template would know the program as it was at forkful::init.
    if (workers == 0 && options_.start == start_method::automatic) options_.start = start_method::fork;
    end(*now());
    auto fresh = std::make_shared<session>(wanted, options_.start, settings_of(options_));
    fresh->fill();
    const std::lock_guard held(mutex_);
    session_ = std::move(fresh);
  }

 private:
  std::shared_ptr<session> now() const {
    const std::lock_guard held(mutex_);
    return session_;
  }

  pool_options options_;
  mutable std::mutex mutex_;  // of the pointer
  std::shared_ptr<session> session_;
  std::uint64_t made_by_;
};

class snapshot_engine final : public engine {
 public:
  explicit snapshot_engine(const pool_options& options)
      : options_(options), workers_(checked_workers(options.workers)), made_by_(this_process()) {
    // Without a first board the pool could not work: better to hear of it now.
    sessions_.push_back(make_session(workers_));
  }
  ~snapshot_engine() override {
    for (auto& one : sessions_) {
      if (this_process() != made_by_) {
        keep_for_good(std::move(one));
      } else {
        end(*one);
      }
    }
  }

  // Without the mutex: a slice may ask, in a worker that was forked while it was held.
  [[nodiscard]] unsigned size() const noexcept override { return workers_.load(std::memory_order_relaxed); }

  std::unique_ptr<ongoing> begin(job& work, const call_options& options, std::shared_ptr<void> owner) override {
    check_process(made_by_);
    check(work, options);
    // Let go of when the mutex is: they may have user's objects to destroy.
    std::vector<std::shared_ptr<call>> parted;
    // Submitted calls go on by themselves: no more of them at a time than workers.
    const bool submitted = owner != nullptr && work.pull == nullptr;
    for (;;) {
      std::shared_ptr<session> oldest;
      {
        const std::lock_guard held(mutex_);
        if (closed_) {
          throw pool_closed(
              "this pool was terminated, so it forks no workers: call restart() to use it again, or make a new pool");
        }
        std::size_t useful = workers_;
        if (work.pull == nullptr) useful = std::clamp<std::size_t>(work.slices, 1, useful);
        std::shared_ptr<session> resting = find_resting(static_cast<unsigned>(useful), submitted, oldest, parted);
        if (resting != nullptr) {
          // With the mutex held: nobody else may begin a call there, whose workers would not be a photograph of now.
          auto made = std::make_unique<call_on_session>(std::move(resting), work, options, std::move(owner), true);
          made->happened.way = "snapshot";
          return made;
        }
      }
      parted.clear();
      oldest->drain();
    }
  }

  void terminate() override {
    check_process(made_by_);
    std::vector<std::shared_ptr<session>> all;
    {
      const std::lock_guard held(mutex_);
      closed_ = true;
      all.swap(sessions_);
    }
    for (const auto& one : all) one->terminate();
  }

  // Every call has new workers anyway.
  void restart(unsigned workers) override {
    check_process(made_by_);
    const std::lock_guard held(mutex_);
    closed_ = false;
    if (workers != 0) workers_ = checked_workers(workers);
  }

 private:
  // Forked, whatever the options say: workers are to see the caller's memory.
  [[nodiscard]] std::shared_ptr<session> make_session(unsigned workers) const {
    return std::make_shared<session>(workers, start_method::fork, settings_of(options_));
  }

  // A board nobody uses; null, and the one that was first taken, when there are enough in use.
  std::shared_ptr<session> find_resting(unsigned workers, bool bounded, std::shared_ptr<session>& oldest,
                                        std::vector<std::shared_ptr<call>>& parted) {
    std::size_t busy = 0;
    for (std::size_t i = 0; i < sessions_.size();) {
      const auto one = sessions_[i];
      // One that is held only by futures which were not got yet rests too.
      const bool rests = one->rest(&parted);
      if (rests && one->workers() == workers) return one;
      if (rests) {  // of another size: it would keep its workers' heaps for nothing
        sessions_.erase(sessions_.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      // An imap half walked ends when its caller likes: not to be waited for.
      if (one->ends_by_itself() && ++busy == 1) oldest = one;
      ++i;
    }
    if (bounded && busy >= workers_) return nullptr;
    return sessions_.emplace_back(make_session(workers));
  }

  pool_options options_;
  mutable std::mutex mutex_;  // of all below
  std::atomic<unsigned> workers_;
  bool closed_ = false;
  std::vector<std::shared_ptr<session>> sessions_;
  std::uint64_t made_by_;
};

}  // namespace

std::unique_ptr<engine> start_processes(const pool_options& options) {
  return std::make_unique<process_engine>(options);
}

std::unique_ptr<engine> start_snapshot(const pool_options& options) {
  return std::make_unique<snapshot_engine>(options);
}

}  // namespace forkful::detail
