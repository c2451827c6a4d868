// One slot: takes a job, starts it, reads what it prints, waits for its end, hands all of that in.
//
// Owns the job's process and pipes while it runs. A job ends when its first process ends; whoever still holds its pipes then has
// `linger` more.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "map/crew.hpp"
#include "map/output.hpp"
#include "os/command.hpp"

namespace mapping {

class runner {
 public:
  runner(crew& of, unsigned slot);
  void run(job next);

  static constexpr std::chrono::milliseconds grace{200};  ///< between TERM and KILL
  static constexpr std::chrono::milliseconds linger{200};
  static constexpr std::size_t linger_bytes = std::size_t{1} << 20;

 private:
  using clock = std::chrono::steady_clock;

  void attempt(job_output& output);
  bool start(const recipe::words_of_job& words, const job_output& output, job_result& result);
  void watch(job_output& output);
  void read_from(forkful::detail::fd& from, stream to, job_output& output);
  void feed(job_output& output);
  void conclude(job_output& output, bool too_late, clock::time_point began);
  [[nodiscard]] std::vector<char*> environment(std::size_t number);

  crew& crew_;
  unsigned slot_;
  std::unique_ptr<std::byte[]> stack_;
  std::vector<char> room_;
  std::vector<std::string> own_environment_;
  std::vector<char*> inherited_environment_;
  forkful::detail::command command_;
  std::size_t lingered_ = 0;  // bytes read since the job's end
};

}  // namespace mapping
