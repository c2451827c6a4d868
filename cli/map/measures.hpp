// Where the time of a run went: counted for each job as it is delivered, for the report and for advice.
//
// Owned by the main thread and filled by whoever writes (turn.hpp), one at a time. Flat in the number of jobs unless a report is wanted.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <forkful/report.hpp>
#include <optional>
#include <string>
#include <vector>

#include "map/options.hpp"
#include "map/output.hpp"
#include "map/recipe.hpp"

namespace mapping {

class measures {
 public:
  using clock = std::chrono::steady_clock;
  measures(const recipe& how, bool with_timeline) : how_(how), with_timeline_(with_timeline), began_(clock::now()) {}

  void add(const job_output& job);
  void end(unsigned slots) {
    ended_ = clock::now();
    slots_ = slots;
  }

  [[nodiscard]] std::size_t jobs() const { return jobs_; }
  [[nodiscard]] unsigned slots() const { return slots_; }
  [[nodiscard]] double wall() const { return std::chrono::duration<double>(ended_ - began_).count(); }
  [[nodiscard]] double cpu() const { return std::chrono::duration<double>(cpu_).count(); }
  [[nodiscard]] double median() const;  ///< seconds of a job
  /// The last job, and for how many seconds it ran when all others had ended.
  [[nodiscard]] std::pair<std::size_t, double> alone() const;

  /// The library's report of it: a slot is a worker, a job a slice.
  [[nodiscard]] forkful::report as_report(const std::string& advice) const;

 private:
  struct row {
    std::size_t jobs = 0;
    std::chrono::nanoseconds starting{0}, running{0};
  };
  void keep_slowest(const job_output& job, std::chrono::nanoseconds took);

  const recipe& how_;
  bool with_timeline_;
  clock::time_point began_, ended_{};
  unsigned slots_ = 0;
  std::size_t jobs_ = 0;
  std::chrono::nanoseconds cpu_{0};
  std::uint64_t sent_ = 0, delivered_ = 0;
  std::vector<row> rows_;
  std::vector<double> lengths_;  // of every `each_`-th job
  std::size_t each_ = 1;
  clock::time_point last_end_{}, end_before_{};
  std::size_t last_ = 0;
  struct slow {
    forkful::slow_slices of{};
    std::string command{};
  };
  std::vector<slow> slowest_;
  forkful::timeline timeline_;
};

/// Writes it as the file's name ends: .html, .json, .trace; "-": as text to stderr. Throws refusal.
void write_report(const forkful::report& all, const std::string& file);
/// Whether a report can be written to a file of that name; else a sentence.
std::string wrong_report_name(const std::string& file);

}  // namespace mapping
