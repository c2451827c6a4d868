// The workers of one pool: starting them, noticing that one has ended, replacing it, ending them all.
//
// Owns a handle, a lifeline and a heap slot a worker, and what the parent sleeps on. Judges no worker by time: a worker
// has ended when the kernel says so (docs/protocol.md, 2).
#pragma once

#include <forkful/options.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "board/board.hpp"
#include "crew/death.hpp"
#include "crew/template.hpp"
#include "memory/arena.hpp"
#include "names/modules.hpp"
#include "os/child.hpp"
#include "os/lifeline.hpp"
#include "os/wait.hpp"
#include "worker/record.hpp"
#include "worker/settings.hpp"

namespace forkful::detail {

class crew {
 public:
  // Takes heap slots for the board's workers; starts none. Throws start_failed, also for a forkserver that is not there.
  crew(board& table, arena& memory, start_method start, const worker_settings& settings);
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;
  // Shuts the workers down. In a process that did not make the crew, only forgets them.
  ~crew();

  // Starts every worker that is not running. Returns when it began to, CLOCK_MONOTONIC; 0 if all were there. Throws start_failed
  // when not a single one runs afterwards.
  std::uint64_t fill();
  // Whether the workers have the code at this address; null is known.
  [[nodiscard]] bool knows(const void* code) const { return code_.known(code); }
  // Ends all workers, which hold no chunk, and forks new ones from this process, with all the code it has now. Throws
  // start_failed.
  void renew();
  // Sleeps until rung, until workers ended, or for so long (negative: for ever; 0 only looks). One thread at a time; the only
  // function that may run beside the others.
  waited wait(std::int64_t nanoseconds);
  // What came of a wait: if nothing did, whether something still could. Throws start_failed if the program has closed descriptors of
  // the crew: its workers are to be ended then, and fill() starts others. A few system calls and one a worker.
  void check(waited came);
  // The workers that had ended when wait() last returned, and were not reaped since.
  [[nodiscard]] const std::vector<unsigned>& ended();
  // Wakes the thread that is in wait(). Not beside fill().
  void ring() const noexcept { waiter_->ringer().ring(); }
  void kill(unsigned worker) noexcept { kill(members_[worker]); }
  // Takes the status of a worker that has ended, and drops its handle. Its chunk is the caller's to recover.
  death reap(unsigned worker);
  // Kills a worker that is late with its slice, if it is still that incarnation. It is reaped once it has ended.
  void end_late(unsigned worker, unsigned incarnation) noexcept;
  // Ends all workers and reaps them. They hold no chunk, or no call wants it any more. Those that have something to do
  // at their exit finish what they hold and leave by themselves; one that has not left after 10 s is killed, like all
  // others at once.
  void shut_down() noexcept;
  // Lets all workers finish what they hold and leave by themselves, and reaps them. False: it is `until`, and some have not; to be called
  // again, or end_now(). They hold nothing that is wanted, as above.
  bool leave(std::uint64_t until) noexcept;
  // Kills all workers now and reaps them.
  void end_now() noexcept;
  // No worker is to be started any more: a template of the pool's own ends now, and with it what it inherited. The first of these does not
  // wait for that: it takes as long as that of a worker.
  void begin_to_end_template() noexcept;
  void end_template() noexcept;
  // Chunks are not to be larger.
  [[nodiscard]] std::uint64_t largest_chunk() const noexcept;
  // Why the last worker that did not get through its start did not, as the end of a sentence; empty if none failed since the
  // last call of this.
  std::string take_trouble();

  [[nodiscard]] unsigned incarnation(unsigned worker) const noexcept { return members_[worker].incarnation; }
  [[nodiscard]] unsigned heap_slot(unsigned worker) const noexcept { return members_[worker].heap_slot; }
  // Its process id, as long as it was not reaped.
  [[nodiscard]] pid_t pid(unsigned worker) const noexcept { return members_[worker].process.pid(); }
  [[nodiscard]] bool running(unsigned worker) const noexcept { return members_[worker].process.valid(); }
  // The same, of one of the processes that were this worker.
  [[nodiscard]] bool lives(unsigned worker, unsigned which) const noexcept {
    return running(worker) && incarnation(worker) == which;
  }
  [[nodiscard]] unsigned running_count() const noexcept;
  // A worker runs that has done what it does at its start.
  [[nodiscard]] bool any_through_start() const noexcept;
  // A sentence about the workers that fill() could not start; empty: all are there.
  [[nodiscard]] const std::string& missing() const noexcept { return missing_; }

  // Threads that ran in this process when a worker was last forked from it, this one included; 0: none was, or unknown.
  [[nodiscard]] unsigned threads_at_fork() const noexcept { return threads_at_fork_; }
  // Sentences about how workers were started, each once.
  [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }

 private:
  struct member {
    child process;
    lifeline line;
    unsigned heap_slot = 0;
    unsigned incarnation = 0;
    bool late = false;
  };

  static void kill(member& one) noexcept;
  void start(unsigned worker);
  void take_stock();
  bool take_programs_template();
  void make_own_template();
  void note_threads_at_fork();
  [[nodiscard]] bool starts_with_others_code() const noexcept;
  void leave_template();
  pid_t make_process(const worker_start& begin);
  void warn(const std::string& sentence);

  board& table_;
  arena& arena_;
  bool descriptors_lost_ = false;  // waiter_'s descriptors, or a worker's
  worker_settings settings_;
  std::vector<cpu_set_t> cores_;  // for pinned workers, in turn
  std::optional<death> failed_start_;
  worker_record* records_ = nullptr;  // in the arena, one a worker
  std::vector<member> members_;
  std::unique_ptr<waiter> waiter_;
  std::vector<unsigned> ended_;
  modules code_;  // what the oldest of the workers has
  std::vector<std::string> warnings_;
  std::string missing_;
  std::uint64_t made_by_;
  bool zygote_;                                    // start_method::zygote
  std::shared_ptr<worker_template> own_template_;  // null: there is none of this pool's own
  worker_template* template_ = nullptr;            // null: workers are forked
  unsigned threads_at_fork_ = 0;
};

}  // namespace forkful::detail
