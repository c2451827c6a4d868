// What has become of the jobs: counted, named on stderr where they failed, written to the log, in the order of delivery.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <vector>

#include "map/job_log.hpp"
#include "map/output.hpp"
#include "map/recipe.hpp"

namespace mapping {

class tally {
 public:
  tally(const recipe& how, job_log& log, bool names_failures) : how_(how), log_(log), names_failures_(names_failures) {}

  /// `delivered` of turn: by one thread at a time, all of the job's output is written.
  void add(const job_output& job);

  // Thread-safe.
  [[nodiscard]] std::size_t done() const noexcept { return done_.load(); }  ///< good or not
  [[nodiscard]] std::size_t failed() const noexcept { return failed_.load(); }
  [[nodiscard]] std::size_t stopped() const noexcept { return stopped_.load(); }  ///< by forkful
  [[nodiscard]] int log_error() const noexcept { return log_error_.load(); }
  /// "3 of 10 jobs failed", and that not all were named; empty if none did.
  [[nodiscard]] std::string summary() const;

 private:
  void name_failure(const job_output& job);

  const recipe& how_;
  job_log& log_;
  bool names_failures_;
  std::atomic<std::size_t> done_{0}, failed_{0}, stopped_{0};
  std::atomic<int> log_error_{0};
};

/// "signal 9 (SIGKILL)"
std::string signal_text(int signal);
/// On stderr, by one write.
void say_line(const std::string& sentence);

}  // namespace mapping
