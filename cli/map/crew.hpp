// The runners of a run: a thread for each slot, started as jobs come, and what they share.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "map/guardian.hpp"
#include "map/halt.hpp"
#include "map/job_queue.hpp"
#include "map/options.hpp"
#include "map/recipe.hpp"
#include "map/tally.hpp"
#include "map/turn.hpp"
#include "os/command.hpp"

namespace mapping {

/// How far the end has come; only ever grows.
enum class ending : unsigned char {
  no,
  closing,  ///< no more jobs; those that run go on
  stopping  ///< those that run are ended, too, and count as not done
};

class crew {
 public:
  struct parts {
    const options& how;
    const recipe& does;
    job_queue& jobs;
    turn& output;
    guardian& groups;
    halt& limit;
    const forkful::detail::command_setting& setting;
    int attention;  ///< an eventfd: the last runner has gone, or `stopping` began
    int stop;       ///< an eventfd: nobody wants input any more
  };
  crew(const parts& shared, unsigned slots) : shared_(shared), slots_(slots) {}

  /// Starts the first runner; each starts the next when it has got a job.
  void begin();
  /// All jobs are through, and delivered.
  [[nodiscard]] bool gone() const noexcept { return gone_.load(); }
  void join();

  /// No more jobs, or none at all. Thread-safe.
  void end(ending how);
  [[nodiscard]] ending how_ends() const noexcept { return ending_.load(); }
  /// forkful's own part failed: the first sentence is kept, the run ends.
  void fail(const std::string& sentence, ending how);
  [[nodiscard]] std::string failure();

  [[nodiscard]] unsigned busy() const noexcept { return busy_.load(std::memory_order_relaxed); }
  /// Runners that there have been.
  [[nodiscard]] unsigned runners();

 private:
  friend class runner;

  void run(unsigned slot);
  void start_next();
  /// The system gives no process or descriptor: waits until another job has ended, or a moment. False: no job has run for too long.
  bool wait_for_room(std::chrono::steady_clock::time_point since);
  void job_ended();
  /// Once a run.
  void say_once_fewer(const std::string& why);

  parts shared_;
  unsigned slots_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::vector<std::thread> threads_;
  unsigned alive_ = 0;
  std::string failure_;
  std::atomic<bool> said_fewer_{false};
  std::atomic<bool> gone_{false};
  std::atomic<ending> ending_{ending::no};
  std::atomic<unsigned> busy_{0};
};

/// Makes an eventfd readable.
void ring(int eventfd);

}  // namespace mapping
