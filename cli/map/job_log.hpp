// The log of a run, in GNU parallel's format: a line a job, appended when its output has been handed to the kernel.
//
// Invariants: a line says that all of a job's output was written, in the order of the lines; so the sum of Receive is what a file with
// the output holds, at least. The file is locked while the run lasts. Only `append` may be called by several threads, one at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "map/options.hpp"
#include "os/fd.hpp"

namespace mapping {

struct log_entry {
  std::size_t number = 0;
  double began = 0;    ///< seconds since 1970
  double seconds = 0;  ///< that it ran
  std::uint64_t sent = 0;
  std::uint64_t received = 0;  ///< bytes of standard output delivered
  int exit_status = 0;
  int signal = 0;
  std::string command{};
};

class job_log {
 public:
  job_log() = default;
  /// Opens and locks it; for a run that resumes reads it, and cuts a torn last line off. Throws refusal, also for a file that is no log,
  /// which stays as it is.
  job_log(const std::string& path, resuming how);

  [[nodiscard]] bool open() const { return file_.valid(); }
  [[nodiscard]] bool resumes() const { return how_ != resuming::no; }
  /// What a file with the jobs' output must hold: the sum of Receive.
  [[nodiscard]] std::uint64_t received() const;
  /// The output holds only so much (the power failed): cuts the last jobs off whose output is not there.
  void cut_to_output(std::uint64_t bytes);
  /// To be called when nothing is to be cut any more: decides which jobs are done.
  void settle();

  /// Whether a job with this command, or the next number, is done; each line counts once. `number`: the one that it had, also of a
  /// job that failed and is to run again; 0: none.
  bool done(const std::string& command, std::size_t& number);
  [[nodiscard]] std::size_t highest() const { return highest_; }

  /// 0, or errno.
  int append(const log_entry& entry);

 private:
  struct past {
    log_entry entry;
    std::size_t end = 0;  // of its line in the file
  };
  [[nodiscard]] bool is_log() const;
  void read();
  [[nodiscard]] bool counts(const log_entry& entry) const;

  std::string path_;
  resuming how_ = resuming::no;
  forkful::detail::fd file_;
  std::vector<past> past_;
  std::size_t header_end_ = 0;
  std::size_t highest_ = 0;
  struct numbers {
    std::vector<std::size_t> done{}, again{};  // to be taken from the back
  };
  std::unordered_map<std::string, numbers> by_command_;
  std::unordered_map<std::size_t, bool> by_number_;
  std::size_t position_ = 0;
};

}  // namespace mapping
